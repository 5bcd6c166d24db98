// @vitest-environment happy-dom
import { cleanup, render } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { useEscape } from "../src/ui/use-escape";

const closed = vi.fn();
const given = vi.fn();
const page = (event: KeyboardEvent) => event.defaultPrevented || closed();

function Draft({ isWanted }: { isWanted: boolean }) {
  useEscape(isWanted, given);
  return <button type="button">row</button>;
}

function press(): void {
  const init = { key: "Escape", bubbles: true, cancelable: true };
  document.querySelector("button")?.dispatchEvent(new KeyboardEvent("keydown", init));
}

afterEach(() => {
  cleanup();
  removeEventListener("keydown", page);
  vi.clearAllMocks();
});

test("Escape gives up what was begun wherever the keyboard is, and closes the chat only after that", () => {
  addEventListener("keydown", page); // before it, as the page's is where an edit begins later
  const { rerender } = render(<Draft isWanted={true} />);
  press();
  expect([given.mock.calls.length, closed.mock.calls.length]).toEqual([1, 0]);
  rerender(<Draft isWanted={false} />);
  press();
  expect([given.mock.calls.length, closed.mock.calls.length]).toEqual([1, 1]);
});

test("a dialog that is open has it first", () => {
  render(<Draft isWanted={true} />);
  const dialog = document.body.appendChild(document.createElement("dialog"));
  dialog.setAttribute("open", "");
  press();
  dialog.remove();
  expect(given).not.toHaveBeenCalled();
});
