import Codecs
import FoundationEssentials
import Front
import Mesh
import Trust
import XMPP

/// This node: what it serves, and the invites that are open.
extension Home {
  /// A name may hold anything.
  static func elementID(of service: NodeStatus.Served) -> String {
    "s-" + Base32.lowercase.encode(Array(service.name.utf8))
  }

  var services: PagePart {
    let none = PagePart.Item(
      "nothing", classes: "note",
      book == nil
        ? "Nothing yet." : "Nothing yet. Serve something here, or in a terminal: <code>hearth serve NAME TARGET</code>")
    let items = status.services.map(service)
    return PagePart(id: "services", items: items.isEmpty ? [none] : items)
  }

  private func service(_ service: NodeStatus.Served) -> PagePart.Item {
    let name = HTML.escaped(service.name)
    let link = service.jid.map { "<a href=\"\(HTML.escaped(front.url(of: $0)))\">\(name)</a>" } ?? name
    let target = book == nil ? "" : "<span class=\"note\"><bdi>\(HTML.escaped(service.target))</bdi></span>"
    return PagePart.Item(
      Self.elementID(of: service), classes: "service",
      """
      <span class="name"><bdi>\(link)</bdi></span><span class="note">for \(users(service.policy))</span>\(target)\
      \(app(service.health))\(lastUse(of: service.jid))\(stop(service))
      """)
  }

  private func users(_ policy: AccessPolicy) -> String {
    var words: String
    switch policy.access {
    case .friends: words = "friends"
    case .public: words = "everyone on this network"
    case .names(let names):
      words = book == nil ? "some friends" : names.sorted().map { HTML.escaped($0.text) }.joined(separator: ", ")
    }
    if policy.accounts.anyone {
      words += ", and on any server"
    } else if policy.accounts != .none {
      words +=
        book == nil ? ", and some accounts" : ", " + policy.accounts.words.map(HTML.escaped).joined(separator: ", ")
    }
    if policy.methods != nil || policy.paths != nil { words += ", in part" }
    if policy.plaintext { words += ", unencrypted too" }
    return words
  }

  private func stop(_ service: NodeStatus.Served) -> String {
    guard book != nil else { return "" }
    guard stoppable.contains(service.name) else {
      return "<span class=\"note\">to be changed in <code>hearth.toml</code></span>"
    }
    let name = HTML.escaped(service.name)
    return PageForms.folded(
      "Stop", for: service.name, id: Self.elementID(of: service) + "-stop",
      PageForms.form(
        .stop(service.name), "<button aria-label=\"Stop serving \(name)\">Stop serving it</button>"))
  }

  var invitesPart: PagePart {
    PagePart(
      id: "invites",
      items: invites.enumerated().map { index, invite in
        // Its end is the token, which nobody but its reader needs: the id is another.
        let id = "i-\(Int(invite.expires.timeIntervalSince1970 * 1000))-\(index)"
        return PagePart.Item(
          id, classes: "invite",
          """
          <span>For <b>\(HTML.escaped(invite.petname))</b>, once, for \(Countdown.html(to: invite.expires, in: self)) more \
          seconds. There, type <code>hearth join</code> and this line behind it, or paste it into that dashboard:</span>\
          <code class="line" id="\(id)-line">\(HTML.escaped(invite.line.description))</code>\
          <button type="button" class="copy" data-copy="\(id)-line" hidden>Copy the line</button>
          """)
      })
  }
}
