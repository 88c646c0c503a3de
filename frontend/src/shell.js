// The navigation at the side: narrow or wide as this browser was last left, which the server draws from the cookie.
const fold = document.querySelector(".rail-fold");
if (fold) {
  const shell = fold.closest(".shell");
  fold.hidden = false;
  fold.addEventListener("click", () => {
    const narrow = shell.classList.toggle("shell-narrow");
    fold.setAttribute("aria-pressed", String(narrow));
    document.cookie = `rail=${narrow ? "narrow" : "wide"}; path=/; max-age=31536000; SameSite=Lax`;
    window.dispatchEvent(new Event("resize"));
  });
}
