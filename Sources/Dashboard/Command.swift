import HTTPX
package import Trust
package import XMPP

/// A command line to show, as it can be copied into a shell.
///
/// Devices choose their names: one that a shell would read anything into is written as its `httpx` address, quoted.
package enum Command {
  package static func befriend(_ device: JID) -> String { "hearth befriend \(argument(device))" }
  package static func request(_ device: JID) -> String { "hearth befriend \(argument(device)) --request" }
  /// All of the id: with some patience somebody can make a key whose id begins like another's.
  package static func accept(_ id: NodeID) -> String { "hearth accept \(id)" }
  package static func reject(_ id: NodeID) -> String { "hearth reject \(id.short)" }
  package static func remove(_ id: NodeID) -> String { "hearth friends remove \(id)" }
  package static func unblock(_ id: NodeID) -> String { "hearth friends unblock \(id)" }

  private static func argument(_ device: JID) -> String {
    let isPlain = device.text.utf8.first != UInt8(ascii: "-") && device.text.utf8.allSatisfy(plain.contains)
    if isPlain, device.localpart != nil { return device.text }
    return "'\(HTTPXURI(jid: device).description.replacing("'", with: "%27"))'"
  }

  private static let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._@".utf8)
}
