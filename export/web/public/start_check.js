// Says why the page does not start, where browsers do not run its ES module.
(function () {
  var TOO_OLD =
    "This browser is too old. Chrome 105, Edge 105, Firefox 110 and Safari 16.4 can run this page.";

  function show(message) {
    document.getElementById("message").textContent = message;
    document.getElementById("loading").hidden = true;
  }

  window.addEventListener("error", function (event) {
    if (/SyntaxError/.test(event.message)) show(TOO_OLD);
  });
  window.addEventListener("load", function () {
    if (location.protocol === "file:") {
      show("Browsers run this page from a web server only, not from a file.");
    } else if (!("noModule" in HTMLScriptElement.prototype)) {
      show(TOO_OLD);
    }
  });
})();
