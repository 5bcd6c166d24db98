/** A line between a browser and the stack, which can be cut, and held. */
import { connect, createServer } from "node:net";

export async function makeLine(url) {
  const there = new URL(url);
  const sockets = new Set();
  let isCut = false;
  let isHeld = false;
  const server = createServer((near) => {
    if (isCut) return near.destroy();
    const far = connect(Number(there.port), "127.0.0.1");
    for (const one of [near, far]) {
      sockets.add(one);
      one.on("error", () => undefined);
      one.on("close", () => {
        sockets.delete(one);
        near.destroy();
        far.destroy();
      });
    }
    near.on("data", (data) => isHeld || far.write(data)); // what is said into a held line is lost
    far.on("data", (data) => near.write(data));
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  const drop = () => {
    for (const one of sockets) one.destroy();
  };
  return {
    port,
    cut() {
      isCut = true;
      drop();
    },
    hold() {
      isHeld = true;
    },
    mend() {
      isCut = isHeld = false;
      drop();
    },
    close() {
      drop();
      server.close();
    },
  };
}

/** Has a page that is opened at the line's address use it for the stack, too. */
export async function throughLine(context, line) {
  await context.route("**/ui/config.json", async (route) => {
    const answer = await route.fetch();
    const config = await answer.json();
    for (const name of ["ws_url", "http_url"]) {
      const url = new URL(config[name]);
      url.port = String(line.port);
      config[name] = url.href;
    }
    await route.fulfill({ response: answer, json: config });
  });
}
