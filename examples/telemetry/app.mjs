import { createServer } from 'node:http';

const { HOST = '127.0.0.1', PORT = '3000' } = process.env;

const server = createServer((_request, response) => response.end('hello\n'));
server.listen(Number(PORT), HOST, () => console.log(`listening on port ${server.address().port}`));
