// GET /hello in Node's http. The argument is the port.
const http = require('http');

http.createServer((request, response) => {
  response.setHeader('Content-Type', 'text/plain');
  response.end('hello, world\n');
}).listen(Number(process.argv[2]), '127.0.0.1');
