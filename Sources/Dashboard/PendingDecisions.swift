import Codecs
import FoundationEssentials
import Trust
import XMPP

/// What waits for the owner's word, as forms that need no script.
///
/// What peers say of themselves is shown as that: the id is their key's, the rest is talk.
struct PendingDecisions {
  let html: String
  /// Something happens by itself soon, and nothing is to be typed meanwhile.
  let isUnderWay: Bool

  init(_ book: FriendBook, now: Date) {
    let window = book.permit(now: now)
    let pairing = book.pairingPeer.map { Self.pairing($0, book) }
    let items = [window.map { Self.permit($0, now: now) }, pairing].compactMap { $0 } + book.requests.map(Self.request)
    html =
      items.isEmpty ? "" : "<h2>Waiting for you</h2>\n<ul>\n\(items.joined(separator: "\n"))\n</ul>\n<h2>Devices</h2>\n"
    isUnderWay = (window != nil || pairing != nil) && book.requests.isEmpty && book.pairingQuestion == nil
  }

  private static func permit(_ window: PermitWindow, now: Date) -> String {
    let seconds = Int(window.seconds(now: now).rounded(.up))
    return """
      <li><span class="name">The door is open for \
      <span class="left" style="--from:\(seconds);animation-duration:\(seconds)s">\(seconds)</span> s</span>
      <span class="note">Whoever asks for friendship until \(Page.time(window.closes)) is a friend.</span>
      \(form(.closePermit, "<button>Close it</button>"))</li>
      """
  }

  private static func pairing(_ peer: KeyedPeer, _ book: FriendBook) -> String {
    let cancel = form(.cancelPairing, "<button>\(book.pairingQuestion == nil ? "Cancel" : "They differ")</button>")
    guard let digits = book.pairingQuestion?.digits else {
      return """
        <li id="pairing"><span class="name">Comparing digits with \(claim(peer.address))</span>
        \(note(peer.id))<span class="note">Waiting for the other side. There: <code>hearth befriend</code></span>
        \(cancel)</li>
        """
    }
    let half = (digits.count + 1) / 2
    let name = book.friend(peer.id) == nil ? nameField : ""
    let confirm = form(
      .confirmPairing,
      "<input type=\"hidden\" name=\"digits\" value=\"\(digits)\">\(name)<button>They are the same</button>")
    return """
      <li id="pairing"><span class="name">Does \(claim(peer.address)) show the same digits?</span>
      <span class="digits">\(digits.prefix(half)) \(digits.dropFirst(half))</span>
      \(note(peer.id))<span class="note">If they differ, somebody is between the two of you.</span>
      \(confirm)\(cancel)</li>
      """
  }

  private static func request(_ request: PendingRequest) -> String {
    let greeting = request.greeting.map { "<span>It says “<bdi>\(HTML.escaped($0))</bdi>”</span>" } ?? ""
    let address = request.address.map { " from \(HTML.escaped($0))" } ?? ""
    return """
      <li><span class="name">\(claim(request.jid)) wants to be a friend</span>\(greeting)
      \(note(request.id))<span class="note">Asked \(Page.time(request.since))\(address). \
      Compare the id with what <code>hearth id</code> prints there.</span>
      \(form(.accept(request.id), nameField + "<button>Accept</button>"))\
      \(form(.reject(request.id), "<button>Refuse</button>"))</li>
      """
  }

  private static func claim(_ jid: JID?) -> String {
    jid.map { "“<bdi>\(HTML.escaped($0.text))</bdi>”, as it calls itself," } ?? "A node without a name"
  }

  private static func note(_ id: NodeID) -> String {
    "<span class=\"note\">Node <b>\(id.short)</b>: <code>\(id)</code></span>\n"
  }

  static func form(_ route: DashboardRoute, _ inside: String) -> String {
    "<form method=\"post\" action=\"\(HTML.escaped(route.path))\">\(inside)</form>"
  }

  /// To be typed, so that no click at a place of somebody else's choice makes a friend.
  static let nameField = """
    <label>You call it<input name="petname" required maxlength="\(TrustLimits.petnameBytes)" \
    pattern="[A-Za-z0-9][A-Za-z0-9._\\-]*" placeholder="kitchen-pi" title="letters, digits, hyphens, dots, underscores" \
    autocomplete="off" autocapitalize="off" spellcheck="false"></label>
    """
}
