import type { AddressInfo } from 'node:net';
import type { OnApplicationShutdown } from '@nestjs/common';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { createNodeHandler } from 'otel-circuit-breaker/http';
import { exporter, stopTelemetry } from './telemetry.ts';

const { HOST = '127.0.0.1', PORT = '3000' } = process.env;

@Controller()
class AppController {
  @Get()
  hello(): { service: string } {
    return { service: 'nestjs-service' };
  }
}

@Module({ controllers: [AppController] })
class AppModule implements OnApplicationShutdown {
  /** The server has closed: these are the last spans. */
  async onApplicationShutdown(): Promise<void> {
    await stopTelemetry();
  }
}

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
// Answers /health/telemetry and /metrics, and passes everything else on.
app.use(createNodeHandler(exporter));
// Nest would otherwise end the process by the signal, not with 0.
app.enableShutdownHooks(['SIGTERM'], { useProcessExit: true });
await app.listen(Number(PORT), HOST);
console.log(`listening on port ${(app.getHttpServer().address() as AddressInfo).port}`);
