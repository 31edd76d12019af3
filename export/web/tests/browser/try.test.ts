import {test} from "vitest"; import { launch } from "./chromium.ts"; import { serve } from "./static_server.ts"; test("x", async()=>{
const s=await serve("dist","/a/b/"); const b=await launch("/work/main/samples/stop-flite-rms-16k-pcm16.wav");
const c=await b.newContext({viewport:{width:360,height:740},permissions:["microphone"]}); const p=await c.newPage();
p.on("console",m=>console.log("console:",m.text())); p.on("pageerror",e=>console.log("error",e)); p.on("requestfailed",r=>console.log("failed",r.url(),r.failure()?.errorText));
await p.goto(s.url); const t=Date.now();
await p.waitForSelector("html[data-state=ready]",{timeout:20000}).catch(e=>console.log(String(e))); console.log("ready",Date.now()-t);
await p.screenshot({path:"/tmp/t/1.png"});
await p.click("#listen"); await p.waitForTimeout(5000); await p.screenshot({path:"/tmp/t/2.png"});
console.log(await p.textContent("#word"), await p.textContent("#speed"), await p.textContent("#message"), await p.textContent("#offline"));
await p.click("#listen");
await p.setInputFiles("#file","/work/main/samples/left-espeak-male-44k1-pcm24-stereo.wav"); await p.waitForTimeout(1000);
console.log(await p.textContent("#word"), await p.textContent("#speed"), await p.textContent("#message"));
await p.screenshot({path:"/tmp/t/3.png"});
await p.setViewportSize({width:1440,height:900}); await p.screenshot({path:"/tmp/t/4.png"});
await b.close(); await s.close();
},60000)
