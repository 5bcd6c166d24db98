import { defineConfig } from "vitest/config";

const resolve = { conditions: ["source", "module", "node", "development|production"] };

export default defineConfig({
  resolve,
  ssr: { resolve },
  test: {
    include: ["clients/js/tests/**/*.test.ts", "clients/js/react/tests/**/*.test.tsx", "web/tests/**/*.test.{ts,tsx}"],
    fileParallelism: false,
    testTimeout: 30_000,
    environmentOptions: { happyDOM: { settings: { fetch: { disableSameOriginPolicy: true } } } },
  },
});
