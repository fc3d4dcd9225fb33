import Codecs
import HTTPEdge
import Mesh
import Trust
import XMPP

extension UpstreamCaller {
  /// Whose share of an app's connections a request takes. Whoever shows no key may be anyone, so that all of them are one.
  init(_ caller: Caller) {
    let id = caller.identity.id?.digest ?? []
    switch caller.standing {
    case .self: self = .own
    case .friend: self = .known(id)
    case .account(let jid, _): self = .stranger(Array(jid.text.asciiLowercased.utf8))
    case .stranger, .plaintext, .changed, .mismatch, .blocked: self = .stranger(id)
    }
  }
}
