// Follows the story without reloading the page; without scripts the page reloads itself instead.
const follow = async () => {
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    if (answer.ok) {
      const next = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
      const here = document.querySelector("main");
      if (next && here && getSelection().isCollapsed) here.replaceWith(next);
      if (next && next.dataset.live !== "yes") return;
    }
  } catch {
    return; // The demo has ended.
  }
  setTimeout(follow, 900);
};
if (document.querySelector("main").dataset.live === "yes") setTimeout(follow, 900);
