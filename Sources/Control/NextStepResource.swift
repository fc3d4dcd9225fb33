import Trust

/// What to do next about an error, in JSON: a word, and the node or the friend that it is about.
struct NextStepResource: Codable {
  let step: String
  let node: String?
  let petname: String?

  init(_ step: NextStep) {
    var (node, petname): (NodeID?, Petname?)
    switch step {
    case .unblock(let id): (self.step, node) = ("unblock", id)
    case .remove(let friend): (self.step, petname) = ("remove", friend)
    case .withdraw: self.step = "withdraw"
    case .compareID(let id): (self.step, node) = ("compare-id", id)
    case .listFriends: self.step = "list-friends"
    case .listDevices: self.step = "list-devices"
    case .permit: self.step = "permit"
    case .invite: self.step = "invite"
    case .copyInvite: self.step = "copy-invite"
    }
    self.node = node?.description
    self.petname = petname?.text
  }

  /// nil where it is a step of another version.
  var nextStep: NextStep? {
    let (id, friend) = (node.flatMap { try? NodeID($0) }, petname.flatMap { try? Petname($0) })
    switch step {
    case "unblock": return id.map { .unblock($0) }
    case "remove": return friend.map { .remove($0) }
    case "withdraw": return .withdraw
    case "compare-id": return id.map { .compareID($0) }
    case "list-friends": return .listFriends
    case "list-devices": return .listDevices
    case "permit": return .permit
    case "invite": return .invite
    case "copy-invite": return .copyInvite
    default: return nil
    }
  }
}
