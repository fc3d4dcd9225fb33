/// What the owner may do next where something could not be done: a code, whose words are chosen where it is shown.
package enum NextStep: Sendable, Hashable {
  /// Take the block of this node back.
  case unblock(NodeID)
  /// Remove this friend first, where the address is no longer theirs.
  case remove(Petname)
  /// Take back one of the requests that wait elsewhere.
  case withdraw
  /// Name the node by its whole id, once that has been compared with the one that the node shows itself.
  case compareID(NodeID)
  /// Look at friends, and at what waits.
  case listFriends
  /// Look at the devices on the link.
  case listDevices
  /// Say for how long the door shall be open.
  case permit
  /// Become friends by an invite instead.
  case invite
  /// Copy the line of an invite, all of it.
  case copyInvite
}
