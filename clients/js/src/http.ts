/** The whole HTTP API, typed from the OpenAPI document: `api.get("/v1/conversations/{conversation_id}", { path: { … } })`. */

import { isObject } from "./core/parsing.js";
import { ParleyError } from "./errors.js";
import type { Failure } from "./generated/frames.js";
import type { Operations } from "./generated/http.js";
import { follow, within } from "./shell/deadline.js";

type Method = "get" | "put" | "post" | "patch" | "delete";
type Key<M extends Method, P extends string> = `${Uppercase<M>} ${P}` & keyof Operations;
type PathOf<M extends Method> = keyof Operations extends infer K
  ? K extends `${Uppercase<M>} ${infer P}`
    ? P
    : never
  : never;
type Answer<K extends keyof Operations> = Operations[K] extends { answer: infer A } ? A : never;
type Given<K extends keyof Operations> = (Operations[K] extends { path: infer P } ? { path: P } : unknown) &
  (Operations[K] extends { body: infer B } ? { body: B } : unknown) &
  (Operations[K] extends { query: infer Q } ? (Partial<Q> extends Q ? { query?: Q } : { query: Q }) : unknown) & {
    signal?: AbortSignal;
  };
type Call<M extends Method> = <P extends PathOf<M>>(
  path: P,
  ...given: Partial<Given<Key<M, P>>> extends Given<Key<M, P>> ? [given?: Given<Key<M, P>>] : [given: Given<Key<M, P>>]
) => Promise<Answer<Key<M, P>>>;

/** Each is one request, and a second one with a fresh token where the first was refused for its token. They reject with ParleyError. */
export type Api = { [M in Method]: Call<M> };

export type HttpOptions = {
  url: string;
  fetch: typeof fetch;
  /** An answer that takes longer (ms) counts as none. */
  longest: number;
  /** `fresh`: the one before was refused. undefined: there is no other. */
  token: (fresh: boolean) => Promise<string | undefined>;
};

type Loose = {
  path?: Record<string, string | number>;
  query?: Record<string, unknown>;
  body?: unknown;
  signal?: AbortSignal;
};

export function makeApi(options: HttpOptions): Api {
  const call =
    (method: Method) =>
    (path: string, given: Loose = {}) =>
      request(options, method, path, given);
  const methods = ["get", "put", "post", "patch", "delete"] as const;
  return Object.fromEntries(methods.map((method) => [method, call(method)])) as unknown as Api;
}

async function request(options: HttpOptions, method: Method, path: string, given: Loose): Promise<unknown> {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(given.path?.[name])));
  const url = new URL(options.url.replace(/\/$/, "") + filled);
  for (const [name, value] of Object.entries(given.query ?? {})) {
    if (value !== undefined && value !== null) url.searchParams.set(name, String(value));
  }
  const first = await options.token(false);
  try {
    return await once(options, method, url, given, first);
  } catch (error) {
    if (!(error instanceof ParleyError) || error.status !== 401) throw error;
    const fresh = await options.token(true);
    if (fresh === undefined || fresh === first) throw error;
    return once(options, method, url, given, fresh);
  }
}

async function once(options: HttpOptions, method: string, url: URL, given: Loose, token?: string): Promise<unknown> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  if (given.body !== undefined) headers["content-type"] = "application/json";
  const control = new AbortController();
  const unfollow = follow(given.signal, control);
  const ask = async () => {
    const response = await options.fetch(url, {
      method: method.toUpperCase(),
      headers,
      signal: control.signal,
      ...(given.body === undefined ? {} : { body: JSON.stringify(given.body) }),
    });
    return { response, text: await response.text() };
  };
  const { response, text } = await within(ask(), options.longest, "The answer")
    .catch((error: unknown) => {
      control.abort();
      if (given.signal?.aborted) throw new ParleyError("aborted", "The request was called off");
      throw ParleyError.of(error);
    })
    .finally(unfollow);
  const body = parsed(text);
  if (response.ok && (text === "" || isObject(body))) return body;
  if (response.ok) throw new ParleyError("unreachable", "The answer is not the server's", true);
  if (!isObject(body) || !("code" in body)) {
    const retryable = response.status === 429 || response.status >= 500;
    throw new ParleyError(
      codeOf(response.status),
      `The answer was ${response.status}`,
      retryable,
      undefined,
      response.status,
    );
  }
  throw ParleyError.fromWire(body as Partial<Failure>, response.status);
}

function codeOf(status: number): string {
  return { 401: "unauthenticated", 403: "forbidden", 429: "rate_limited" }[status] ?? "unavailable";
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
