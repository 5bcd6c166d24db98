/** Files that were chosen, dropped or pasted: what comes together becomes one message that shows at once, with its progress. */
import type { MessageItem, TimelineItem } from "@parley/client";
import { createContext, useCallback, useContext, useMemo, useSyncExternalStore } from "react";
import { useMembers } from "../lib/members";
import { usePeople } from "../lib/names";
import { kindOf, mediaOf } from "../lib/recorder";
import { MOST_FILES } from "../lib/several";
import type { NamedBlob } from "../lib/shelf";
import { asItem, type Upload } from "../lib/upload-item";
import type { Uploads } from "../lib/uploads";

export type SendFiles = (files: Iterable<File>) => void;

export const UploadsContext = createContext<Uploads | null>(null);

export function useUploads(): Uploads {
  const found = useContext(UploadsContext);
  if (!found) throw new Error("there are no uploads above");
  return found;
}

/** Guests upload nothing, and where one reads, or may send no files, there is none to be sent. */
export function useMayAttach(): boolean {
  const { isGuest } = usePeople();
  const { may, isReader } = useMembers();
  return !isGuest && !isReader && may("attach");
}

export function useFiles(id: string): SendFiles {
  const uploads = useUploads();
  const mayAttach = useMayAttach();
  return useCallback(
    (files) => {
      if (!mayAttach) return;
      const all = [...files].map((blob) => ({ blob, name: blob.name || "image.png" }));
      for (const { blob, name } of all.filter((one) => !one.blob.size)) uploads.add(id, blob, name); // says that it is empty
      const full = all.filter((one) => one.blob.size);
      for (let from = 0; from < full.length; from += MOST_FILES) {
        const [first, ...more] = full.slice(from, from + MOST_FILES);
        if (!first) continue;
        if (more.length) uploads.add(id, first.blob, first.name, undefined, { more });
        else if (kindOf(first.blob)) void played(uploads, id, first);
        else uploads.add(id, first.blob, first.name);
      }
    },
    [uploads, id, mayAttach],
  );
}

/** A sound or a film says how long it is. */
async function played(uploads: Uploads, id: string, { blob, name }: NamedBlob): Promise<void> {
  const media = await mediaOf(blob).catch(() => undefined);
  uploads.add(id, blob, name, undefined, media && { media });
}

/** What the client shows, and behind it the files that it does not have yet. */
export function useWithFiles(id: string, items: readonly TimelineItem[], isAtTail: boolean): readonly TimelineItem[] {
  const uploads = useUploads();
  const { me } = usePeople();
  const own = useSyncExternalStore(uploads.subscribe, () => uploads.of(id));
  return useMemo(() => {
    if (!isAtTail || !own.length) return items;
    const shown = new Set(items.map((item) => item.key));
    return [...items, ...own.filter((one) => !shown.has(one.id)).map((one) => asItem(one, me))];
  }, [items, own, isAtTail, me]);
}

/** The file of this message, while it is on its way. */
export function useUpload({ key }: MessageItem): Upload | undefined {
  const uploads = useUploads();
  return useSyncExternalStore(uploads.subscribe, () => uploads.get(key));
}
