import { defineConfig } from "vite";

/** What your server does behind your sign-in: it says who this is, with a fresh token. Here the shell has said so. */
function session() {
  const { PARLEY_WS_URL: url, PARLEY_HTTP_URL: httpUrl, PARLEY_TOKEN: token } = process.env;
  if (!url || !httpUrl || !token)
    throw new Error("PARLEY_WS_URL, PARLEY_HTTP_URL and PARLEY_TOKEN are not set: see README.md");
  const user = JSON.parse(Buffer.from(token.split(".")[1], "base64url")).sub;
  return JSON.stringify({ url, httpUrl, user, token });
}

export default defineConfig(({ command }) => ({
  base: "./",
  build: { target: "es2022" },
  plugins: command === "serve" && [
    {
      name: "session",
      configureServer(server) {
        const said = session();
        server.middlewares.use("/session.json", (_, answer) => {
          answer.setHeader("Content-Type", "application/json");
          answer.setHeader("Cache-Control", "no-store");
          answer.end(said);
        });
      },
    },
  ],
}));
