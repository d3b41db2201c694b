#include "dashboard/page.hpp"

namespace weft::dashboard {
namespace {

// All text of a run comes in as text and never as markup: it is set by textContent alone.
constexpr std::string_view kPage = R"page(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>weft</title>
<meta name="viewport" content="width=device-width">
<style>
body{font:14px/1.45 system-ui,sans-serif;max-width:76em;margin:1.5em auto;padding:0 1em;color:#282828;background:#fff}
h1{font-size:1.3em;margin:0}h2{font-size:1.05em;margin:1.6em 0 .4em}
table{border-collapse:collapse;width:100%}th{text-align:left;font-weight:600;color:#666;font-size:.85em}
td,th{padding:.15em .8em .15em 0;vertical-align:top}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.bar{position:relative;background:#eee;height:1.1em;border-radius:3px;overflow:hidden;min-width:8em}
.bar>i{position:absolute;left:0;top:0;bottom:0;display:block}
.gone{color:#a33}.quiet{color:#777}#state{float:right}pre{background:#f5f5f5;padding:.7em;overflow:auto;margin:0;white-space:pre-wrap}
svg{display:block;width:100%;background:#f7f7f7}
.key{display:inline-block;margin-right:1.2em}.key i{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.35em}
</style></head><body>
<div id="state" class="quiet">connecting</div><h1>weft</h1>
<div class="bar" style="height:1.5em;margin:.6em 0 .2em"><i id="done" style="background:#4f8f63"></i><i id="bad" style="background:#b5453a"></i></div>
<div id="counts"></div>
<h2>Workers</h2><table id="workers"></table>
<h2>Where the time of the slots went</h2><div class="bar" id="phases" style="height:1.5em"></div><div id="keys"></div>
<h2>The last tasks</h2><div id="tasks"></div>
<h2>Lines of the program</h2><div class="quiet" id="noted"></div><table id="lines"></table>
<h2>Moved between workers</h2><table id="moved"></table>
<h2>Failures</h2><pre id="failures"></pre>
<h2>Workers that came and went</h2><pre id="events"></pre>
<h2>Log</h2><pre id="log"></pre>
<p class="quiet"><a href="#" id="keep">Keep this page</a> as a file that needs no connection. What a finished run did in full: --report of the verbs of the weft command, and weft report.</p>
<script>
"use strict";
const $=id=>document.getElementById(id);
const el=(tag,text,cls)=>{const e=document.createElement(tag);if(text!==undefined)e.textContent=text;if(cls)e.className=cls;return e};
const bytes=n=>{const u=["B","KiB","MiB","GiB","TiB"];let i=0;while(n>=1024&&i<4){n/=1024;i++}return(i&&n<10?n.toFixed(1):Math.round(n))+" "+u[i]};
const count=n=>n>=1e6?(n/1e6).toPrecision(3)+" M":n>=1e4?(n/1e3).toPrecision(3)+" k":n>=100||Number.isInteger(n)?String(Math.round(n)):n.toPrecision(2);
const time=s=>s>=3600?Math.floor(s/3600)+" h "+Math.round(s%3600/60)+" min":s>=100?Math.floor(s/60)+" min "+Math.round(s%60)+" s":s>=1?s.toPrecision(3)+" s":s>=1e-3?(s*1e3).toPrecision(3)+" ms":(s*1e6).toPrecision(3)+" us";
const clock=t=>new Date(t*1000).toLocaleTimeString();
const hue=w=>{let h=0;for(const c of w)h=(h*31+c.charCodeAt(0))%360;return h};
const row=(cells,head)=>{const r=el("tr");for(const c of cells){const d=el(head?"th":"td");if(c instanceof Node)d.append(c);else{const[t,n]=Array.isArray(c)?c:[c];d.textContent=t;if(n)d.className="n"}r.append(d)}return r};
const table=(id,head,rows)=>{$(id).replaceChildren();if(rows.length)$(id).append(row(head,true),...rows.map(r=>row(r)))};
const meter=(share,colour,title)=>{const b=el("div",undefined,"bar"),i=el("i");i.style.width=Math.min(100,100*share)+"%";i.style.background=colour;b.title=title;b.append(i);return b};
const colours=["#8a6fae","#a08fc0","#2c5d8f","#4c9aa3","#6fb0b8","#b39b3c","#c7b46a","#4f8f63","#7db48f","#a34c73","#b5654a","#dddddd"];
function show(s){
  const left=Math.max(0,s.counts.total-s.counts.done-s.counts.failed),running=s.workers.reduce((n,w)=>n+w.running,0),all=Math.max(1,s.counts.total);
  document.title="weft "+Math.floor(100*(s.counts.done+s.counts.failed)/all)+"%";
  $("done").style.width=100*s.counts.done/all+"%";$("bad").style.left=100*s.counts.done/all+"%";$("bad").style.width=100*s.counts.failed/all+"%";
  let words=s.counts.done+" of "+s.counts.total+" tasks done, "+running+" running, "+Math.max(0,left-running)+" waiting, "+s.counts.failed+" failed; "+count(s.counts.per_second)+" a second";
  if(left>0&&s.counts.per_second>0)words+=", about "+time(left/s.counts.per_second)+" left";
  $("counts").textContent=words+". Running for "+time(s.seconds)+"."+(s.memory.spill_written?" Spilled "+bytes(s.memory.spill_written)+" by this process, read back "+bytes(s.memory.spill_read)+".":"");
  table("workers",["worker","host",["running",1],["cores",1],["tasks",1],["a second",1],"memory of its budget",["resident",1],["on disk",1],["fetched",1],["a second",1]],
    s.workers.map(w=>[w.answers?w.name:el("span",w.name+" (no answer)","gone"),w.host,[w.running+" of "+w.slots,1],[w.answers?w.busy.toFixed(2):"",1],[w.answers?count(w.done):"",1],[w.answers?count(w.per_second):"",1],
      meter(w.budget?w.used/w.budget:0,w.used>.8*w.budget?"#b5654a":"#2c5d8f",bytes(w.used)+" of "+bytes(w.budget)),[w.answers?bytes(w.resident):"",1],[w.answers?bytes(w.spilled):"",1],[w.answers?bytes(w.fetched):"",1],[w.answers?bytes(w.fetched_per_second):"",1]]));
  const sum=Math.max(1e-12,s.phases.reduce((n,p)=>n+p[1],0));let at=0;$("phases").replaceChildren();$("keys").replaceChildren();
  s.phases.forEach(([name,sec],k)=>{const share=sec/sum,i=el("i");i.style.left=100*at+"%";i.style.width=100*share+"%";i.style.background=colours[k];i.title=name+" "+time(sec);at+=share;$("phases").append(i);
    if(share>=.001){const e=el("span",undefined,"key"),b=el("i");b.style.background=colours[k];e.append(b,name+" "+(100*share).toFixed(1)+"%");$("keys").append(e)}});
  $("keys").append(el("span","overhead "+s.overhead_us.toPrecision(3)+" us a task","quiet"));
  draw(s.tasks);
  $("noted").textContent=s.noted?"Of "+s.noted+" tasks that were timed one by one while this page was open.":"No task has been timed while this page was open.";
  table("lines",["task","line",["running",1],["ended",1],["failed",1],["time",1],["each",1]],s.lines.map(l=>[l.name,l.place,[l.running,1],[count(l.ended),1],[l.failed?el("b",l.failed,"gone"):"0",1],[time(l.seconds),1],[time(l.seconds/Math.max(1,l.ended+l.failed)),1]]).map(r=>r.map(c=>Array.isArray(c)&&c[0]instanceof Node?c[0]:c)));
  table("moved",["results of",["results",1],["bytes",1]],s.moved.map(m=>[m[0],[count(m[1]),1],[bytes(m[2]),1]]));
  $("failures").textContent=s.failures.map(f=>clock(f[0])+"  "+f[1]).join("\n")||"none";
  $("events").textContent=s["workers_news"].map(f=>clock(f[0])+"  "+f[1]).join("\n")||"none";
  $("log").textContent=s.log.join("\n")||"nothing";
}
function draw(tasks){
  const box=$("tasks");box.replaceChildren();if(!tasks.length){box.append(el("span","none yet","quiet"));return}
  const end=Math.max(...tasks.map(t=>t[2]+t[3])),begin=Math.max(Math.min(...tasks.map(t=>t[2])),end-60),span=Math.max(1e-6,end-begin);
  const rows=[...new Set(tasks.map(t=>t[0]+" slot "+t[1]))].sort(),high=14,ns="http://www.w3.org/2000/svg";
  const svg=document.createElementNS(ns,"svg");svg.setAttribute("viewBox","0 0 1000 "+high*rows.length);svg.setAttribute("preserveAspectRatio","none");svg.style.height=high*rows.length+"px";
  for(const t of tasks){if(t[2]+t[3]<begin)continue;const r=document.createElementNS(ns,"rect"),x=Math.max(0,(t[2]-begin)/span*1000);
    r.setAttribute("x",x);r.setAttribute("y",high*rows.indexOf(t[0]+" slot "+t[1])+1);r.setAttribute("width",Math.max(.7,(t[2]+t[3]-begin)/span*1000-x));r.setAttribute("height",high-2);
    r.setAttribute("fill",t[6]?"#cc0000":"hsl("+hue(t[5])+",50%,55%)");const n=document.createElementNS(ns,"title");n.textContent=t[4]+" ("+t[5]+"), "+time(t[3])+(t[6]?", failed":"");r.append(n);svg.append(r)}
  box.append(svg,el("span",rows.length+" slots, the last "+time(span)+"; a bar is a task, red ones failed","quiet"));
}
let last=0,failed=0;
async function poll(){
  try{const answer=await fetch("state.json",{cache:"no-store"});if(!answer.ok)throw new Error(answer.status);
    show(await answer.json());last=Date.now();failed=0;$("state").textContent="live";$("state").className="quiet"}
  catch(e){failed++;$("state").className="gone";$("state").textContent=last?"no answer since "+clock(last/1000)+": the run has ended, or the connection; trying again":"no answer yet; trying again"}
  setTimeout(poll,document.hidden?5000:Math.min(10000,1000*2**Math.min(failed,4)));
}
$("keep").onclick=e=>{e.preventDefault();const copy=document.documentElement.cloneNode(true);copy.querySelectorAll("script").forEach(x=>x.remove());
  const a=el("a");a.href="data:text/html;charset=utf-8,"+encodeURIComponent("<!doctype html>"+copy.outerHTML);a.download="weft-page.html";a.click()};
poll();
</script></body></html>
)page";

}  // namespace

std::string_view page_text() { return kPage; }

}  // namespace weft::dashboard
