"""The echo server on asyncio's streams, or, when PEER_LOOP in the environment
is uvloop, the same on uvloop. Prints its port."""

import asyncio
import os


async def echo(reader, writer):
    try:
        while data := await reader.read(4096):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if os.environ.get("PEER_LOOP") == "uvloop":
    import uvloop
    uvloop.install()
asyncio.run(main())
