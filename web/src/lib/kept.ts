/** What this browser remembers: how the page looks, for good, and what the tab is in the middle of. Where it may keep nothing, it forgets. */
export function setting(name: string): string | null {
  try {
    return localStorage.getItem(`parley.${name}`);
  } catch {
    return null;
  }
}

export function keepSetting(name: string, value: string): void {
  try {
    localStorage.setItem(`parley.${name}`, value);
  } catch {
    // private windows of some browsers
  }
}

/** What the tab could not keep: it is there for as long as the page is. */
const unkept = new Map<string, string | null>();

/** Of this tab: kept at once, over a reload, and gone with it. */
export function keptIn<T>(name: string): T | null {
  try {
    if (unkept.has(name)) return JSON.parse(unkept.get(name) ?? "null") as T | null;
    return JSON.parse(sessionStorage.getItem(name) ?? "null") as T | null;
  } catch {
    return null;
  }
}

export function keep(name: string, value: unknown): void {
  const text = value === null ? null : JSON.stringify(value);
  try {
    if (text === null) sessionStorage.removeItem(name);
    else sessionStorage.setItem(name, text);
    unkept.delete(name);
  } catch {
    unkept.set(name, text); // it is full, or the browser keeps nothing
  }
}

/** Nothing of what is so named stays in the tab. */
export function forgetIn(beginning: string): void {
  for (const name of [...unkept.keys()]) if (name.startsWith(beginning)) unkept.set(name, null);
  try {
    const names = Array.from({ length: sessionStorage.length }, (_, index) => sessionStorage.key(index) ?? "");
    for (const name of names) if (name.startsWith(beginning)) sessionStorage.removeItem(name);
  } catch {
    // there is nothing then
  }
}
