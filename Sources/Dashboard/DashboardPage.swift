import Codecs
import Front
import HTTPEdge
import HTTPTypes
import Mesh
import Trust
import XMPP

/// The page at `http://hearth.localhost:8332/`: what is wrong, what waits for the owner, devices, this node, people.
struct DashboardPage {
  let home: Home

  func response() -> Response {
    let parts = Dictionary(home.parts.map { ($0.id, $0) }) { first, _ in first }
    func section(_ id: String, _ heading: String, level: Int = 2) -> String {
      parts[id]?.section(heading, level: level) ?? ""
    }
    let body = """
      <p class="unseen" role="status" id="news"></p><p class="bad" role="status" id="silence"></p>
      \(section("problems", "Something is wrong"))\(section("waiting", "Waiting for you"))
      <div class="columns">
      <section data-part aria-labelledby="devices-title" class="devices-section">
      <h2 id="devices-title">Devices</h2>
      <label class="search" hidden>Search <input type="search" id="search" autocomplete="off"></label>
      \(parts["devices"]?.list ?? "")
      <p class="note" id="unfound" role="status"></p>
      \(old(parts["old"]))</section>
      <div class="side">
      <section aria-labelledby="node-title"><h2 id="node-title">This computer</h2>
      \(about)
      \(section("services", "What it serves", level: 3))\(ownerForms)</section>
      \(people(section))</div></div>
      \(recently(parts["recent"]))
      """
    var page = Page(status: .ok, title: "Hearth on \(home.machine)", body: body)
    page.hasForms = home.book != nil
    page.script = .dashboard
    page.isWide = true
    // Not where somebody may type.
    if let book = home.book, book.requests.isEmpty, book.pairingQuestion == nil,
      book.pairingPeer != nil || book.permit(now: home.now) != nil
    {
      page.refreshWithoutScript = DashboardLimits.refresh
    }
    return page.response()
  }

  private func old(_ part: PagePart?) -> String {
    guard let part else { return "" }
    return """
      <details data-part id="old-devices"\(part.items.isEmpty ? " hidden" : "")><summary>Not seen for a day</summary>
      \(part.list)</details>
      """
  }

  private var about: String {
    let jid = "<bdi>\(HTML.escaped(home.status.jid.text))</bdi>"
    return """
      <p>\(jid) · <code>\(home.id.short)</code></p>
      <details id="own-id"><summary>Its whole id</summary><p class="note">To be compared by friends: \
      <code>\(home.id)</code></p></details>
      """
  }

  private var ownerForms: String {
    guard let book = home.book else { return "" }
    return """
      <details id="serve"><summary>Serve an app or a folder</summary>\(PageForms.serve(book.friends))</details>
      <details id="register" hidden><summary>Links to devices</summary>
      <p class="note">Lets this browser open links that begin with <code>web+httpx:</code> here.</p>
      <button type="button" id="register-button">Open such links with Hearth</button></details>
      """
  }

  private func recently(_ part: PagePart?) -> String {
    guard let part else { return "" }
    return """
      <section data-part aria-labelledby="recent-title"\(part.items.isEmpty ? " hidden" : "")>
      <h2 id="recent-title">Recently</h2>
      <details id="requests"><summary>Who opened what</summary>
      <label class="search" hidden>Only <input type="search" id="recent-search" autocomplete="off"></label>
      \(part.list)</details></section>
      """
  }

  private func people(_ section: (String, String, Int) -> String) -> String {
    guard home.book != nil else {
      return "<p class=\"note\">What waits for an answer, and friends, are shown to \(DashboardCaller.whoMay).</p>"
    }
    return """
      <section aria-labelledby="people-title"><h2 id="people-title">People</h2>
      \(section("friends", "Friends", 3))\(section("claimed", "They list you as a friend, and are none of yours", 3))\
      \(section("invites", "Invites", 3))
      <details id="invite"><summary>Invite somebody</summary>\(PageForms.invite)</details>
      <details id="join"><summary>Use an invite that you were given</summary>\(PageForms.join)</details>
      \(section("asked", "Asked for friendship", 3))\(section("blocked", "Blocked", 3))</section>
      """
  }
}
