/** Files that are dropped on the page. */

/** Call back with the first file of each drop. */
export function dropFiles(onFile: (file: File | undefined) => void): void {
  const mark = (isOver: boolean): void => {
    document.body.classList.toggle("dropping", isOver);
  };
  addEventListener("dragover", (event) => {
    event.preventDefault();
    mark(true);
  });
  addEventListener("dragleave", (event) => mark(event.relatedTarget !== null));
  addEventListener("drop", (event) => {
    event.preventDefault();
    mark(false);
    onFile(event.dataTransfer?.files[0]);
  });
}
