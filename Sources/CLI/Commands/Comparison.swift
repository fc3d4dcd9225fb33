import Control
import Dashboard
import Trust

/// Two people compare digits: this side's part, from the first word to the friendship.
///
/// Follows the daemon's events, since the other side may end it at any time.
struct Comparison {
  let client: ControlClient
  /// Whom to begin with; nil: whoever has begun.
  let device: String?
  let petname: String?
  /// Whether the owner has said yes beforehand.
  let isConfirmed: Bool

  /// The way out of the events.
  private struct Ended: Error {
    let result: Result<String, CommandFailure>
  }

  /// What to tell the owner at the end. Throws `CommandFailure` and `ControlError`.
  func run() async throws -> String {
    var peer: String?
    var shown: String?
    do {
      try await client.watchEvents {
        peer = try await begin()
      } receive: { event in
        guard let node = event.fields["node"], peer == nil || peer == node else { return }
        switch event.event {
        case EventResource.digits:
          guard let digits = event.fields["digits"], digits != shown else { return }
          (peer, shown) = (node, digits)
          try await confirm(digits, with: event.fields["jid"], node: node)
        case "friend-added" where shown != nil || device != nil: throw Ended(result: .success(Self.added(event)))
        case "friend-confirmed" where peer != nil && event.fields["node"] == peer:
          throw Ended(result: .success(Self.confirmed(event)))
        case "pairing-failed" where peer != nil: throw Ended(result: .failure(Self.failed(event.fields["reason"])))
        default: return
        }
      }
    } catch let end as Ended {
      return try end.result.get()
    }
    throw CommandFailure(.noDaemon, "the daemon has ended")
  }

  /// The id of the other side, where that is known already.
  private func begin() async throws -> String? {
    if let device {
      let pairing = try await client.beginPairing(device: device, petname: petname)
      Terminal.printError(
        "Waiting up to a minute for \(Printable.clean(device)): there, `hearth befriend` shows the same digits…\n")
      return pairing.id
    }
    if try await client.pairing().id == nil {
      Terminal.printError("Waiting up to 5 minutes for the other side to begin with `hearth befriend DEVICE`…\n")
    }
    return nil
  }

  private func confirm(_ digits: String, with jid: String?, node: String) async throws {
    let name = Printable.clean(jid ?? "the other side")
    Terminal.print("Digits of \(name) (\(node)):\n\n    \(TrustText.grouped(digits))\n")
    if !isConfirmed {
      let answer = try await Terminal.confirm("Does the other side show the same digits?") {
        try await client.pairing().digits == digits
      }
      // The event that says why is on its way.
      guard let answer else { return }
      guard answer else {
        try await client.cancelPairing()
        throw Ended(
          result: .failure(
            CommandFailure(
              .denied, "not friends: where the digits differ, somebody is between the two nodes, or you met another one"
            )))
      }
    }
    // Where this side began, the name was said then.
    let isUnnamed = device == nil && !isConfirmed
    let chosen = isUnnamed ? try await PetnameProposal.name(petname, of: jid, isOwnersWord: false, client) : petname
    try await client.confirmPairing(digits: digits, petname: chosen)
    Terminal.printError("Waiting for the other side to say the same…\n")
  }

  private static func added(_ event: EventResource) -> String {
    "\(event.fields["petname"] ?? "It") is a friend now (\(event.fields["node"] ?? "?"))"
  }

  private static func confirmed(_ event: EventResource) -> String {
    "\(event.fields["petname"] ?? "It") has been a friend before, and it is (\(event.fields["node"] ?? "?"))"
  }

  private static func failed(_ reason: String?) -> CommandFailure {
    guard let failure = reason.flatMap(PairingFailure.init(rawValue:)) else {
      return CommandFailure(.denied, "the comparison ended")
    }
    return CommandFailure(.denied, NextStep.text(failure.text, failure.nextStep))
  }
}
