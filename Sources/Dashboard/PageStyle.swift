/// How pages look. Text has at least 4.5 times the luminance of its ground, or the other way round (WCAG 2.2 §1.4.3).
enum PageStyle {
  static let text = """
    :root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif;--text:#1b1b20;--muted:#55545e;--ground:#f5f5f7;\
    --card:#fff;--line:#d3d2da;--edge:#84838d;--link:#0b57c2;--bad:#b00020;--good:#1a7f37}
    @media(prefers-color-scheme:dark){:root{--text:#ececf1;--muted:#b3b2bd;--ground:#131317;--card:#1e1e24;--line:#3a3943;\
    --edge:#8b8a95;--link:#9cc0ff;--bad:#ff9c94;--good:#7ddb92}}
    *{box-sizing:border-box}[hidden]{display:none!important}
    body{margin:0;background:var(--ground);color:var(--text);overflow-wrap:anywhere}
    main{max-width:44rem;margin:0 auto;padding:1.5rem 1rem 3rem}main.wide{max-width:76rem}
    h1{font-size:1.5rem;line-height:1.25;margin:0 0 1rem}h2{font-size:1.2rem;margin:1.75rem 0 .5rem}
    h3{font-size:1rem;margin:1rem 0 .25rem}p{margin:.5rem 0}a{color:var(--link)}
    ul{list-style:none;margin:0;padding:0}code{font-size:.9em}
    section>ul>li,details>ul>li{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:.75rem 1rem;\
    margin:.5rem 0}
    li>span:not(.left,.icon,.unseen){display:block}.card h3{display:flex;gap:.5rem;justify-content:space-between;margin:0}
    .card>p{margin:0}.name{font-weight:600}.note,.state{color:var(--muted);font-size:.875rem;font-weight:400}
    .online>h3>.state::before{content:"● ";color:var(--good)}
    .devices{border-top:1px solid var(--line);margin-top:.5rem}
    .device{display:grid;grid-template-columns:2.25rem 1fr;gap:0 .75rem;padding:.5rem 0}.device>*{grid-column:2}
    .device>.icon{grid-column:1;grid-row:1/span 2;width:2.25rem;height:2.25rem;border-radius:.5rem;border:1px solid var(--line);\
    display:grid;place-items:center;font-weight:600;color:var(--muted)}
    .icon>img{width:1.5rem;height:1.5rem;object-fit:contain}
    #silence:empty{margin:0}.bad{color:var(--bad)}.bad a{color:inherit}.digits{font-size:2rem;font-weight:600;letter-spacing:.1em}
    .ids{margin:.5rem 0 0}.ids dd{margin:0}.ids dt{font-weight:600}.ids div{margin:.25rem 0}
    .line{display:block;margin:.5rem 0;user-select:all}
    .button,button,input,select{padding:.45rem .75rem;border:1px solid var(--edge);border-radius:.5rem;font:inherit;\
    color:var(--text);background:var(--card);max-width:100%}
    ::placeholder{color:var(--muted);opacity:1}.button{display:inline-block}button{cursor:pointer}.button:hover,button:hover{border-color:var(--text)}
    form,.forms{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:end;margin:.5rem 0}.forms form{margin:0}
    form>p{width:100%;margin:0}label{display:flex;flex-direction:column;font-size:.875rem;color:var(--muted)}
    label>*{font-size:1rem}.friend details form{display:inline-flex;margin:.25rem .5rem .25rem 0}.search{margin:.5rem 0}.request{overflow-wrap:anywhere}summary{cursor:pointer;padding:.25rem 0;color:var(--link);width:fit-content}
    :focus-visible{outline:3px solid var(--link);outline-offset:2px}
    .unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
    @media(min-width:60rem){.columns{display:grid;grid-template-columns:3fr 2fr;gap:0 2rem;align-items:start}}
    @property --left{syntax:"<integer>";inherits:false;initial-value:0}
    @keyframes left{from{--left:var(--from)}to{--left:0}}
    .left{font-size:0;animation:left linear forwards;counter-reset:left var(--left,var(--from))}
    .left::after{content:counter(left);font-size:1rem}
    """
}
