import Codecs
import FoundationEssentials
import Trust
import XMPP

/// What waits for the owner's word, as forms that need no script.
///
/// What peers say of themselves is shown as that: the id is their key's, the rest is talk.
extension Home {
  var waiting: PagePart {
    guard let book else { return PagePart(id: "waiting", items: []) }
    let window = book.permit(now: now).map(permit)
    let comparison = book.pairingPeer.map { pairing($0, book) }
    return PagePart(id: "waiting", items: [window, comparison].compactMap { $0 } + book.requests.map(request))
  }

  private func permit(_ window: PermitWindow) -> PagePart.Item {
    PagePart.Item(
      "permit", news: "The door is open",
      """
      <span class="name">The door is open for \(Countdown.html(to: window.closes, in: self)) s</span>
      <span class="note">Whoever asks for friendship until \(Page.time(window.closes)) is a friend.</span>
      \(PageForms.form(.closePermit, "<button>Close it</button>"))
      """)
  }

  private func pairing(_ peer: KeyedPeer, _ book: FriendBook) -> PagePart.Item {
    let isQuestion = book.pairingQuestion != nil
    let cancel = PageForms.form(.cancelPairing, "<button>\(isQuestion ? "They differ" : "Cancel")</button>")
    guard let digits = book.pairingQuestion?.digits else {
      return PagePart.Item(
        "pairing",
        """
        <span class="name">Comparing digits with \(claim(peer.address))</span>
        \(note(peer.id))<span class="note">Waiting for the other side. There: <code>hearth befriend</code></span>
        \(cancel)
        """)
    }
    let half = (digits.count + 1) / 2
    let petname = book.pairingPetname?.text
    let isNamed = petname != nil || book.friend(peer.id) != nil
    let confirm = PageForms.form(
      .confirmPairing,
      "<input type=\"hidden\" name=\"digits\" value=\"\(digits)\">\(isNamed ? "" : PageForms.nameField())"
        + "<button>They are the same</button>")
    let name = petname.map { "<span class=\"note\">You call it <b>\(HTML.escaped($0))</b>.</span>" } ?? ""
    return PagePart.Item(
      "pairing", news: "Digits are to be compared",
      """
      <span class="name">Does \(claim(peer.address)) show the same digits?</span>
      <span class="digits">\(digits.prefix(half)) \(digits.dropFirst(half))</span>
      \(note(peer.id))\(name)<span class="note">If they differ, somebody is between the two of you.</span>
      <div class="forms">\(confirm)\(cancel)</div>
      """)
  }

  private func request(_ request: PendingRequest) -> PagePart.Item {
    let greeting = request.greeting.map { "<span>It says “<bdi>\(HTML.escaped($0))</bdi>”</span>" } ?? ""
    let address = request.address.map { " from \(HTML.escaped($0))" } ?? ""
    return PagePart.Item(
      "r-\(request.id)", news: "Somebody wants to be a friend",
      """
      <span class="name">\(claim(request.jid)) wants to be a friend</span>\(greeting)
      \(note(request.id))<span class="note">Asked \(Page.time(request.since))\(address). \
      Compare the id with what <code>hearth id</code> prints there.</span>
      <div class="forms">\(PageForms.form(.accept(request.id), PageForms.nameField() + "<button>Accept</button>"))\
      \(PageForms.form(.reject(request.id), "<button>Refuse</button>"))\
      \(PageForms.form(.block(request.id), "<button>Block</button>"))</div>
      """)
  }

  private func claim(_ jid: JID?) -> String {
    jid.map { "“<bdi>\(HTML.escaped($0.text))</bdi>”, as it calls itself," } ?? "A node without a name"
  }

  private func note(_ id: NodeID) -> String {
    "<span class=\"note\">Node <b>\(id.short)</b>: <code>\(id)</code></span>\n"
  }
}
