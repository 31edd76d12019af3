// Says why the page does not start, where browsers do not run its ES module.
(function () {
  var TOO_OLD = "This browser is too old. Update it, or use another one.";

  function show(message) {
    document.getElementById("message").textContent = message;
    document.getElementById("loading").hidden = true;
  }

  // While it is captured: the errors of elements do not bubble.
  window.addEventListener(
    "error",
    function (event) {
      if (event.target.tagName === "SCRIPT") show(event.target.src + " could not be loaded.");
      else if (/SyntaxError/.test(event.message)) show(TOO_OLD);
    },
    true,
  );
  window.addEventListener("load", function () {
    if (location.protocol === "file:") {
      show("Browsers run this page from a web server only, not from a file.");
    } else if (!("noModule" in HTMLScriptElement.prototype)) {
      show(TOO_OLD);
    }
  });
})();
