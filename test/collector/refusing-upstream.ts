/** A gRPC server in this process that refuses every request with a status and a retry hint, as an overloaded backend does. */
import type { ServiceDefinition } from '@grpc/grpc-js';
import { Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';

const SERVICE: ServiceDefinition = {
  export: {
    path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
    requestStream: false,
    responseStream: false,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: (bytes: Buffer) => bytes,
    responseDeserialize: (bytes: Buffer) => bytes,
  },
};

/** Refuses until it is disposed of. @param retrySeconds - at most 127 */
export async function refusingUpstream(port: number, retrySeconds: number): Promise<AsyncDisposable> {
  const server = new Server();
  server.addService(SERVICE, {
    export: (_call: unknown, callback: (error: object) => void) => {
      const metadata = new Metadata();
      metadata.set('grpc-status-details-bin', statusWithRetryInfo(retrySeconds));
      callback({ code: status.RESOURCE_EXHAUSTED, details: 'try later', metadata });
    },
  });
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  return {
    async [Symbol.asyncDispose]() {
      server.forceShutdown();
    },
  };
}

/** `google.rpc.Status { code: 8, message: "try later", details: [RetryInfo { retry_delay: { seconds } }] }`, as bytes. */
function statusWithRetryInfo(seconds: number): Buffer {
  const field = (number: number, bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
  const duration = Buffer.from([0x08, seconds]);
  const retryInfo = field(1, duration);
  const any = Buffer.concat([
    field(1, Buffer.from('type.googleapis.com/google.rpc.RetryInfo')),
    field(2, retryInfo),
  ]);
  return Buffer.concat([
    Buffer.from([0x08, status.RESOURCE_EXHAUSTED]),
    field(2, Buffer.from('try later')),
    field(3, any),
  ]);
}
