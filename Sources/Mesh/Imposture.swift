import Trust

/// Somebody was reached who gets nothing from this node: another key than the expected one, or a blocked one.
struct Imposture: Error {
  let refusal: Refusal
  /// The key that was shown; nil where there was none.
  let id: NodeID?
}
