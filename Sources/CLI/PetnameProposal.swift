import Control
import Trust
import XMPP

/// What the owner calls a new friend: as they say, and where they say nothing the name of its machine, if that is theirs to give.
enum PetnameProposal {
  /// - Parameters:
  ///   - given: by `--name`.
  ///   - jid: of a device of the friend's.
  ///   - isOwnersWord: whether the owner named the machine, by hand or with the line of an invite. Else it is what the peer calls itself,
  ///     which is asked about at a terminal, and nowhere taken for granted.
  /// - Returns: nil where the daemon shall find a name, which it makes of the key.
  static func name(
    _ given: String?, of jid: String?, isOwnersWord: Bool, _ client: ControlClient
  ) async throws -> String? {
    if let given { return given }
    let friends = try await client.friends().friends
    // A friend has a name.
    if let jid, friends.contains(where: { $0.devices.contains(jid) }) { return nil }
    let services = try await client.status().services
    let named = services.flatMap { service -> [String] in
      if case .names(let names) = service.access { names } else { [] }
    }
    let proposal = proposal(jid, taken: friends.map(\.petname) + named)
    guard Terminal.inputIsTerminal, Terminal.errorIsTerminal else { return isOwnersWord ? proposal : nil }
    let answer = Terminal.ask("What do you call it?\(proposal.map { " [\($0)]" } ?? "")")
    return answer.isEmpty ? proposal : answer
  }

  /// The machine's name, where it is a name for a friend and nobody's: no friend's, none that a service is open to, and none of
  /// those that are made of keys.
  static func proposal(_ jid: String?, taken: [String]) -> String? {
    guard let jid = jid.flatMap({ JID(bare: $0) }), let name = try? Petname(jid.domainpart),
      !name.text.lowercased().hasPrefix("node-"), !taken.contains(where: { (try? Petname($0)) == name })
    else { return nil }
    return name.text
  }
}
