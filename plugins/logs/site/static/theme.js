// The reader's theme, before anything is painted: the only script that a page waits for.
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // the reader's browser keeps nothing
}
