import Codecs
import FoundationEssentials
import Mesh
import Trust
import XMPP

/// Friends, those who were asked, and those who are blocked: for the owner alone.
extension Home {
  var friends: PagePart {
    let none = PagePart.Item("no-friends", classes: "note", "None yet. Invite one, or ask one of the devices.")
    let items = (book?.friends ?? []).map(friend)
    return PagePart(id: "friends", items: items.isEmpty ? [none] : items)
  }

  private func friend(_ friend: Friend) -> PagePart.Item {
    let (id, name) = ("f-\(friend.id)", HTML.escaped(friend.petname.text))
    let uses = status.services.filter { isOpen($0.policy, to: friend.petname) }.map { HTML.escaped($0.name) }
    return PagePart.Item(
      id, classes: "friend", news: "\(friend.petname) is a friend now",
      """
      <span class="name">\(name)</span><span class="note"><code>\(friend.id.short)</code> · \(lastSeen(friend.id))</span>\
      \(renounced(friend))<span class="note">\(uses.isEmpty ? "may use nothing of yours" : "may use \(uses.joined(separator: ", "))")</span>\
      \(PageForms.folded("Change", for: friend.petname.text, id: "\(id)-change", forms(friend)))
      """)
  }

  /// Of a friendship that only this side knows of.
  private func renounced(_ friend: Friend) -> String {
    guard let since = friend.renounced else { return "" }
    let device =
      devices.first { $0.petname == friend.petname && $0.http != false }
      ?? devices.first { $0.petname == friend.petname }
    let again = device.map { ". \(ask($0, "Ask again"))" } ?? ", and is not here to be asked again"
    return
      "<span class=\"bad\">does not list you as a friend any more, as came out on \(Page.time(since))\(again)</span>"
  }

  private func forms(_ friend: Friend) -> String {
    let name = HTML.escaped(friend.petname.text)
    let remove =
      friend.origin == .fleet
      ? "<p class=\"note\">It comes from <code>trusted.d</code>, and is removed there.</p>"
      : PageForms.form(.remove(friend.id), "<button aria-label=\"Remove \(name)\">Remove from friends</button>")
    return """
      <p class="note">Its id: <code>\(friend.id)</code></p>\
      \(PageForms.form(.rename(friend.id), PageForms.nameField(value: friend.petname.text) + "<button>Rename</button>"))\
      \(remove)\(PageForms.form(.block(friend.id), "<button aria-label=\"Block \(name)\">Block</button>"))
      """
  }

  private func isOpen(_ policy: AccessPolicy, to petname: Petname) -> Bool {
    switch policy.access {
    case .friends, .public: true
    case .names(let names): names.contains(petname)
    }
  }

  private func lastSeen(_ id: NodeID) -> String {
    let own = devices.filter { $0.node == id && $0.petname != nil }
    if own.contains(where: { $0.state == .online }) { return "here now" }
    return own.map(\.seen).max().map { "last seen \(Page.time($0))" } ?? "not seen since this node was started"
  }

  var asked: PagePart {
    PagePart(
      id: "asked",
      items: (book?.asked ?? []).map { node in
        let name = HTML.escaped(node.petname?.text ?? node.jid?.text ?? node.id.short)
        return PagePart.Item(
          "a-\(node.id)",
          """
          <span class="name"><bdi>\(name)</bdi></span><span class="note"><code>\(node.id.short)</code> · you asked on \
          \(Page.time(node.since)), and its owner has not answered</span>\
          \(PageForms.form(.withdraw(node.id), "<button aria-label=\"Withdraw the request to \(name)\">Withdraw</button>"))
          """)
      })
  }

  /// Nodes that list this one as a friend, and are none of it.
  var claimed: PagePart {
    PagePart(
      id: "claimed",
      items: (book?.claimedFriendships ?? []).map { node in
        let name = node.jid.map { "<bdi>\(HTML.escaped($0.text))</bdi>" } ?? "A node without a name"
        let again = node.jid.flatMap { jid in devices.first { $0.jid == jid } }.map { ask($0, "Be friends again") }
        return PagePart.Item(
          "c-\(node.id)", news: "Somebody lists you as a friend, and is none of yours",
          """
          <span class="name">\(name)</span><span class="note"><code>\(node.id.short)</code> · since \(Page.time(node.since))</span>\
          <span>\(again ?? "")</span>\
          \(PageForms.form(.block(node.id), "<button aria-label=\"Block \(HTML.escaped(node.jid?.text ?? node.id.short))\">Block</button>"))
          """)
      })
  }

  var blocked: PagePart {
    PagePart(
      id: "blocked",
      items: (book?.blocked ?? []).map { node in
        let name = HTML.escaped(node.petname?.text ?? node.id.short)
        return PagePart.Item(
          "b-\(node.id)",
          """
          <span class="name">\(name)</span><span class="note"><code>\(node.id.short)</code> · blocked on \
          \(Page.time(node.since))</span>\
          \(PageForms.form(.unblock(node.id), "<button aria-label=\"Unblock \(name)\">Unblock</button>"))
          """)
      })
  }
}
