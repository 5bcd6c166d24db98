// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { token } from "../../clients/js/tests/server";
import { App } from "../src/app";
import { I18nProvider } from "../src/i18n";
import { en } from "../src/i18n/en";
import { signInWithToken, signOut } from "../src/lib/session";

const CONFIG = { ws_url: "ws://127.0.0.1:9/prod", http_url: "http://127.0.0.1:9" };
const REFUSALS: Record<string, () => unknown> = {
  throws: () => {
    throw new DOMException("The operation is insecure.", "SecurityError");
  },
  fails: () => {
    const request = { error: new DOMException("A newer version is there", "VersionError"), onerror: () => {} };
    queueMicrotask(() => request.onerror());
    return request;
  },
};

beforeEach(() => {
  vi.stubGlobal("fetch", async (url: unknown) => {
    if (String(url).endsWith("config.json")) return Response.json(CONFIG);
    throw new TypeError("Failed to fetch");
  });
  signInWithToken(token("alice"));
});
afterEach(() => {
  cleanup();
  signOut();
  vi.unstubAllGlobals();
});

test.each(Object.keys(REFUSALS))(
  "a browser whose database %s is told of, and tried again when that is asked for",
  async (how) => {
    vi.stubGlobal("indexedDB", { open: REFUSALS[how] });
    render(
      <I18nProvider first={{ language: "en", table: en }}>
        <App link={null} />
      </I18nProvider>,
    );
    const told = `Your chats can't be opened: ${en["error.not_saved"]}`;
    expect((await screen.findByRole("alert")).textContent).toBe(told);
    vi.stubGlobal("indexedDB", new IDBFactory());
    fireEvent.click(screen.getByText(en["app.retry"]));
    await screen.findByText(en["signin.unreachable"]);
  },
);
