package import Mesh
package import Trust

/// The one place where next steps get their words, which are commands to be copied into a shell.
extension NextStep {
  /// The message with what to do about it. A message that is a sentence is followed by another one.
  package static func text(_ message: String, _ step: NextStep?) -> String {
    switch step {
    case nil: message
    case .unblock(let id) where message.last == ".": "\(message) To undo that: \(Command.unblock(id))"
    case .unblock(let id): "\(message): \(Command.unblock(id))"
    case .remove(let friend): "\(message): where that is right, first hearth friends remove \(friend)"
    case .withdraw: "\(message): take one back with hearth requests withdraw"
    case .compareID(let id): "\(message): give the whole id, once it is the one that `hearth id` prints there: \(id)"
    case .listFriends: "\(message): hearth friends lists friends, hearth requests what waits"
    case .listDevices: "\(message) The list: hearth devices"
    case .permit: "\(message): hearth permit 120s"
    case .invite: "\(message), or use hearth invite"
    case .copyInvite: "this is not a line that hearth invite printed: copy it from httpx:// to its end"
    }
  }
}

extension TrustError {
  /// The message with what to do next.
  package var text: String { NextStep.text(message, nextStep) }
}

extension MeshError {
  /// The message with what to do next.
  package var text: String { NextStep.text(message, nextStep) }
}
