// Only browsers without ES modules run this.
window.onload = function () {
  document.getElementById("message").textContent =
    "This browser is too old. Chrome 91, Edge 91, Firefox 89 and Safari 16.4 can run this page.";
  document.getElementById("loading").hidden = true;
};
