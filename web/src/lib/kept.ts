/** What this browser remembers of how the page looks. Where it may keep nothing, it forgets. */
export function kept(name: string): string | null {
  try {
    return localStorage.getItem(`parley.${name}`);
  } catch {
    return null;
  }
}

export function keep(name: string, value: string): void {
  try {
    localStorage.setItem(`parley.${name}`, value);
  } catch {
    // private windows of some browsers
  }
}
