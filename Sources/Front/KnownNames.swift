import Synchronization
import XMPP

/// The devices that names of the front stand for, as they were read before: browsers ask for the same few again and again.
package final class KnownNames: Sendable {
  struct Name: Sendable {
    let device: JID
    /// As the browser spells it.
    let origin: String
  }

  /// By what the client wrote into `Host`.
  private let names = Mutex<[String: Name]>([:])

  package init() {}

  subscript(authority: String) -> Name? { names.withLock { $0[authority] } }

  /// To be told of names only that will always stand for this device.
  func learn(_ authority: String, _ name: Name) {
    names.withLock { names in
      if names.count >= FrontLimits.knownNames { names.removeAll() }
      names[authority] = name
    }
  }
}
