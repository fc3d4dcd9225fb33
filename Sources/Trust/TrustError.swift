/// What cannot be done or read, as the owner is told.
package struct TrustError: Error, Sendable, Hashable {
  package enum Code: String, Sendable, CaseIterable {
    /// No node id, or one with a typo.
    case nodeID = "node-id"
    /// No line of an invite.
    case invite
    /// Not a name that a friend may have.
    case petname
    /// Another friend has this name.
    case petnameTaken = "petname-taken"
    /// No friend, request or node of this name.
    case unknown
    /// Several nodes fit.
    case ambiguous
    /// The address is pinned to another key.
    case changed
    /// The node is blocked.
    case blocked
    /// The node is this one.
    case itself = "self"
    /// A bound of `TrustLimits` is reached.
    case full
    /// Access rules that contradict themselves or cannot be read.
    case policy
    /// A pairing that cannot begin or go on.
    case pairing
    /// A number outside its range.
    case range
    /// The store is not what this program wrote.
    case damaged
    /// The store was written by a newer version.
    case newerSchema = "newer-schema"
  }

  /// Whose fault it is.
  package enum Kind: Sendable {
    /// What was said makes no sense.
    case invalid
    /// There is no such thing.
    case unknown
    /// It contradicts what is there.
    case conflict
    /// The store cannot be used.
    case damaged
  }

  package let code: Code
  /// What happened, and what to do about it as far as that is no command.
  package let message: String
  package let nextStep: NextStep?

  package init(_ code: Code, _ message: String, nextStep: NextStep? = nil) {
    self.code = code
    self.message = message
    self.nextStep = nextStep
  }
}

extension TrustError.Code {
  package var kind: TrustError.Kind {
    switch self {
    case .nodeID, .invite, .petname, .ambiguous, .policy, .range: .invalid
    case .unknown: .unknown
    case .petnameTaken, .changed, .blocked, .itself, .full, .pairing: .conflict
    case .damaged, .newerSchema: .damaged
    }
  }
}
