import NIOCore
import Synchronization
import Trust
import XML
package import XMPP

/// A stanza as it passed, for who looks after a node.
package struct TracedStanza: Sendable {
  /// Whether this node sent it.
  package let isSent: Bool
  /// Who is at the other end: an address that proves nothing, else where it is.
  package let peer: String
  /// `from` and `to`, and the peer's address.
  package let addresses: [JID]
  /// XML on one line, without bodies and secrets, and cut where it is long.
  package let text: String
}

/// Shows the stanzas of all streams to one who listens. While nobody does, a stanza costs one look.
package final class StanzaTap: Sendable {
  private let open = Atomic<Bool>(false)
  private let listener = Mutex<(@Sendable (TracedStanza) -> Void)?>(nil)

  package init() {}

  package var isOpen: Bool {
    get { open.load(ordering: .relaxed) }
    set { open.store(newValue, ordering: .relaxed) }
  }

  /// Who listens from now on, while the tap is open.
  package func receive(_ listener: @escaping @Sendable (TracedStanza) -> Void) {
    self.listener.withLock { $0 = listener }
  }

  @inline(never) func show(_ element: Element, isSent: Bool, _ identity: PeerIdentity?) {
    guard let listener = listener.withLock({ $0 }) else { return }
    let addresses = [element["from"], element["to"]].compactMap { $0.flatMap { JID($0)?.bare } }
    listener(
      TracedStanza(
        isSent: isSent, peer: identity?.address?.text ?? identity?.networkAddress ?? "unknown",
        addresses: addresses + [identity?.address?.bare].compactMap(\.self), text: StanzaText.text(of: element)))
  }

  /// The same for stanzas as they were written.
  @inline(never) func show(written bytes: ByteBuffer, _ identity: PeerIdentity?) {
    let reader = XMLReader(limits: Limits.traced)
    try? reader.feed(ByteBuffer(string: "<s xmlns='\(Namespace.client)'>")) { _ in }
    // What this node writes itself it can read.
    try? reader.feed(bytes) { event in
      if case .element(let element) = event { show(element, isSent: true, identity) }
    }
  }
}
