import Control

/// Names that the daemon does not know: which of those that it has may have been meant.
enum NameQuestion {
  /// Does `work`, and where nothing has this `name`, asks for those that there are.
  ///
  /// Throws `CommandFailure`, and what `work` throws.
  static func suggesting<Result>(
    _ name: String, from names: () async throws -> [String], _ work: () async throws -> Result
  ) async throws -> Result {
    do {
      return try await work()
    } catch let error as ControlError where error.code == .notFound {
      let failure = CommandFailure(error)
      guard let names = try? await names(), let question = Suggestion.question(like: name, among: names)
      else { throw failure }
      throw failure.asking(question)
    }
  }

  /// The same where a friend is meant.
  static func suggestingFriends<Result>(
    _ name: String, _ client: ControlClient, _ work: () async throws -> Result
  ) async throws -> Result {
    try await suggesting(name, from: { try await client.friends().friends.map(\.petname) }, work)
  }
}
