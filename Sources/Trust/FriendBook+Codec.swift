import FoundationEssentials

/// `friends.json`, schema 1. Dates are of whole seconds, as in RFC 3339.
extension FriendBook {
  package static let schema = 1

  private struct Header: Codable {
    var schema: Int
  }

  private struct Content: Codable {
    var schema: Int
    var friends: [Friend]
    var blocked: [BlockedNode]
    var requests: [PendingRequest]
    var asked: [AskedNode]
    var invites: [Invite]
  }

  /// The whole store, to be written as it is.
  package func encoded() throws(TrustError) -> [UInt8] {
    let content = Content(
      schema: Self.schema, friends: friends, blocked: blocked, requests: queue.pending, asked: queue.asked,
      invites: inviteList.invites)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    do {
      return [UInt8](try encoder.encode(content)) + [0x0A]
    } catch {
      throw TrustError(.damaged, "the list of friends cannot be written: \(error)")
    }
  }

  /// What `encoded()` wrote. Throws `damaged` where it is not that, or breaks a rule (a name or a device of two
  /// friends); `newerSchema` where a later version wrote it.
  package init(
    decoding bytes: [UInt8], own: NodeID, ownKey: [UInt8], mode: RequestMode = .ask, cryptography: Cryptography,
    digits: Int = TrustLimits.digits
  ) throws(TrustError) {
    self.init(own: own, ownKey: ownKey, mode: mode, cryptography: cryptography, digits: digits)
    let content = try Self.content(Data(bytes))
    for friend in content.friends { try Self.checking { () throws(TrustError) in try friendTable.add(friend) } }
    for node in content.blocked {
      guard friendTable.friends[node.id] == nil
      else { throw TrustError(.damaged, "\(node.id) is both a friend and blocked") }
      try Self.checking { () throws(TrustError) in try friendTable.block(node) }
    }
    guard content.requests.count <= TrustLimits.requests, content.asked.count <= TrustLimits.asked,
      Set(content.requests.map(\.id)).count == content.requests.count,
      Set(content.asked.map(\.id)).count == content.asked.count
    else { throw TrustError(.damaged, "requests are repeated, or too many") }
    queue = RequestQueue(pending: content.requests, asked: content.asked)
    inviteList = InviteList(content.invites)
  }

  private static func content(_ data: Data) throws(TrustError) -> Content {
    let decoder = JSONDecoder()
    // As it is written: fractions of seconds would not come back.
    decoder.dateDecodingStrategy = .custom { decoder in
      let text = try decoder.singleValueContainer().decode(String.self)
      guard let date = try? Date(text, strategy: .iso8601) else {
        throw DecodingError.dataCorrupted(
          .init(codingPath: decoder.codingPath, debugDescription: "no date of RFC 3339"))
      }
      return Date(timeIntervalSinceReferenceDate: date.timeIntervalSinceReferenceDate.rounded(.down))
    }
    guard let header = try? decoder.decode(Header.self, from: data)
    else { throw TrustError(.damaged, "not the JSON of a list of friends") }
    guard header.schema <= schema else {
      throw TrustError(
        .newerSchema,
        "a newer version of hearth wrote it (schema \(header.schema), and this version knows \(schema)): update hearth")
    }
    guard header.schema == schema else { throw TrustError(.damaged, "there is no schema \(header.schema)") }
    do {
      return try decoder.decode(Content.self, from: data)
    } catch let error as DecodingError {
      throw TrustError(.damaged, describe(error))
    } catch {
      throw TrustError(.damaged, "not the JSON of a list of friends")
    }
  }

  private static func describe(_ error: DecodingError) -> String {
    func at(_ context: DecodingError.Context) -> String { context.codingPath.map(\.stringValue).joined(separator: ".") }
    return switch error {
    case .keyNotFound(let key, let context): "\(at(context)) has no \(key.stringValue)"
    case .valueNotFound(_, let context), .typeMismatch(_, let context): "\(at(context)) is not what belongs there"
    case .dataCorrupted(let context): "\(at(context)): \(context.debugDescription)"
    @unknown default: "not the JSON of a list of friends"
    }
  }

  /// What an owner would be refused means damage in a store.
  private static func checking(_ body: () throws(TrustError) -> Void) throws(TrustError) {
    do {
      try body()
    } catch {
      throw TrustError(.damaged, error.message)
    }
  }
}
