/** Scenario 8: nginx in front of several Collectors, HTTP and gRPC, trying the next one when one is away. */
export function nginxConfig(
  folder: string,
  listen: { readonly httpPort: number; readonly grpcPort: number },
  collectors: ReadonlyArray<{ readonly httpPort: number; readonly grpcPort: number }>,
): string {
  const servers = (key: 'httpPort' | 'grpcPort'): string =>
    collectors
      .map((collector) => `server 127.0.0.1:${collector[key]} max_fails=1 fail_timeout=1s;`)
      .join(' ');
  // One process: a killed master would leave its workers behind, listening.
  return `daemon off; master_process off;
pid ${folder}/nginx.pid;
error_log ${folder}/nginx-error.log warn;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path ${folder}/nginx-body; proxy_temp_path ${folder}/nginx-proxy;
  fastcgi_temp_path ${folder}/nginx-fastcgi; uwsgi_temp_path ${folder}/nginx-uwsgi; scgi_temp_path ${folder}/nginx-scgi;
  client_max_body_size 16m;
  upstream otlp_http { ${servers('httpPort')} keepalive 8; }
  upstream otlp_grpc { ${servers('grpcPort')} keepalive 8; }
  server {
    listen 127.0.0.1:${listen.httpPort};
    location / {
      proxy_pass http://otlp_http; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_connect_timeout 1s; proxy_read_timeout 5s;
      proxy_next_upstream error timeout http_502 http_503 non_idempotent;
    }
  }
  server {
    listen 127.0.0.1:${listen.grpcPort} http2;
    location / {
      grpc_pass grpc://otlp_grpc; grpc_connect_timeout 1s; grpc_read_timeout 5s;
      grpc_next_upstream error timeout http_502 http_503 non_idempotent;
    }
  }
}
`;
}
