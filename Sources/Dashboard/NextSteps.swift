import Codecs
import FoundationEssentials
package import Mesh
package import Trust
import XMPP

/// What the owner can do where a device does not let this node in, or shows another key.
///
/// It is shown at the device's own origin, where the device may read along: nothing here tells it more than it knows,
/// and there is no button, but the way to one on the dashboard.
package struct NextSteps: Sendable, Hashable {
  /// To a page of the dashboard.
  package struct Link: Sendable, Hashable {
    package let route: DashboardRoute
    package let title: String
  }

  /// How things stand, for programs: the word of an `FriendshipState`.
  package var standing: String?
  /// Paragraphs.
  package var text: [String]
  package var commands: [String] = []
  package var page: Link?
  /// Of a device that shows another key.
  package var expected: String?
  package var shown: String?

  init(_ standing: String?, _ text: [String] = [], commands: [String] = []) {
    self.standing = standing
    self.text = text
    self.commands = commands
  }
}

extension NextSteps {
  /// nil where the error has nothing to do with friendship.
  package init?(for error: MeshError, at device: Device, _ book: FriendBook) {
    let friendship = FriendshipState(device, book)
    switch error.code {
    case .forbidden where error.refuser != nil: self.init(friendship.word, [Self.words(error.refuser)])
    case .forbidden: self.init(refusedBy: device.jid, friendship, own: book.own)
    case .changed: self.init(friendship, of: device.jid)
    default: return nil
    }
  }

  /// A request of friendship would not help: what the owner opened is what there is, and who is not heard cannot ask.
  private static func words(_ refuser: MeshError.Refuser?) -> String {
    switch refuser {
    case .node: "Its node has cut off yours. Only its owner can change that: ask them yourself, if you need it."
    case .rules, nil: "That is for its owner to open: ask them, if you need it."
    }
  }

  private init(refusedBy jid: JID, _ friendship: FriendshipState, own: NodeID) {
    self.init(friendship.word)
    switch friendship {
    case .own, .changed, .mismatch: break
    case .friend:
      text = [
        "Its node is a friend of yours, and you are none of its: its owner has removed you from their friends, or lost them. "
          + "Ask again."
      ]
      commands = [Command.request(jid)]
      page = Link(route: .ask(jid), title: "Ask for friendship again")
    case .asked(let asked):
      text = [
        "You asked for friendship on \(LocalTime.minute(asked.since)), and its owner has not answered. There, the command "
          + "is: \(Command.accept(own))"
      ]
      commands = [Command.request(jid)]
      page = Link(route: .ask(jid), title: "See your request")
    case .comparing:
      text = ["Digits are to be compared with its owner, to become friends."]
      commands = ["hearth befriend"]
      page = Link(route: .list, title: "Compare the digits")
    case .asks(let request):
      text = ["Its node asked for your friendship, and waits for your answer."]
      commands = [Command.accept(request.id), Command.reject(request.id)]
      page = Link(route: .list, title: "Answer its request")
    case .stranger:
      text = ["You are not friends. Ask its owner for friendship, or compare digits with somebody who is there."]
      commands = [Command.befriend(jid), Command.request(jid)]
      page = Link(route: .ask(jid), title: "Ask for friendship")
    case .plaintext:
      text = ["It shows no key, so nobody can know who it is, and it cannot be a friend."]
    case .blocked(let id):
      text = ["It gets in here again, and you there, once you have unblocked it and are friends."]
      if let id { commands = [Command.unblock(id)] }
    }
  }

  /// Of a device that shows another key; nil for others.
  init?(_ friendship: FriendshipState, of jid: JID) {
    self.init(friendship.word)
    switch friendship {
    case .changed(let known, let seen):
      (expected, shown) = (known.description, seen?.description)
      text = [
        "This name belongs to the node \(known), a friend of yours. What answers to it now is "
          + (seen.map { "the node \($0)." } ?? "a program without a key."),
        "Either the device is new or was reset, and has a new key. Or somebody pretends to be it. Nothing was sent to it. "
          + "Ask whoever runs the device for the id that hearth id prints there.",
        "If the new id is theirs, remove the old one, and become friends again:",
      ]
      commands = [Command.remove(known), Command.befriend(jid)]
    case .mismatch(let announced, let seen):
      (expected, shown) = (announced, seen?.description)
      text = [
        "The device is announced as the node \(announced). What answers there is "
          + (seen.map { "the node \($0)." } ?? "a program without a key."),
        "Either the announcement is old: then restart the device. Or somebody stands between you and the device, or "
          + "announces it under their own address. Nothing was sent to it.",
      ]
    default: return nil
    }
  }
}

extension NextSteps {
  /// - Parameter dashboard: its URL; nil where the client has none.
  func html(_ dashboard: String?) -> String {
    var html = text.map { "\n<p>\(HTML.escaped($0))</p>" }.joined()
    if let page, let url = page.url(dashboard) {
      html += "\n<p><a class=\"button\" href=\"\(HTML.escaped(url))\">\(HTML.escaped(page.title))</a></p>"
    }
    let commands = commands.map { "\n<br><code>\(HTML.escaped($0))</code>" }.joined()
    return commands.isEmpty ? html : html + "\n<p class=\"note\">In a terminal:\(commands)</p>"
  }
}

extension NextSteps.Link {
  func url(_ dashboard: String?) -> String? { dashboard.map { $0.dropLast() + route.path } }
}
