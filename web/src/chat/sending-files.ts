/** Files that were chosen, dropped or pasted: each becomes a message that shows at once, with its progress. */
import type { MessageItem, TimelineItem } from "@parley/client";
import { createContext, useCallback, useContext, useMemo, useSyncExternalStore } from "react";
import { usePeople } from "../lib/names";
import { asItem, type Upload } from "../lib/upload-item";
import type { Uploads } from "../lib/uploads";

export type SendFiles = (files: Iterable<File>) => void;

export const UploadsContext = createContext<Uploads | null>(null);

export function useUploads(): Uploads {
  const found = useContext(UploadsContext);
  if (!found) throw new Error("there are no uploads above");
  return found;
}

export function useFiles(id: string): SendFiles {
  const uploads = useUploads();
  return useCallback(
    (files) => {
      for (const file of files) uploads.add(id, file, file.name || "image.png");
    },
    [uploads, id],
  );
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
