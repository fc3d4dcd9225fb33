import Codecs
package import FoundationEssentials
package import HTTPTypes
import HTTPX
import Logging
import NIOCore
import Trust
package import XMPP

/// One request that has ended, as its owner may look it up.
///
/// Names and paths are what others sent, and nothing in them is made safe to print. There are no fields of HTTP in it.
package struct RequestRecord: Sendable {
  package enum Side: String, Sendable, CaseIterable {
    /// A device of this node answered.
    case served
    /// This node asked for somebody at this machine.
    case sent
  }

  /// Who asked, with no more than is needed to tell that.
  private enum Asker: Sendable {
    case owner
    case friend(Petname)
    case key(NodeID)
    case address(JID)
    case unnamed
  }

  /// With the id, which is read where somebody wants it.
  private let via: String
  package let side: Side
  /// nil where it was sent from here.
  private let asker: Asker?
  package let device: JID
  package let method: HTTPRequest.Method
  /// The request target, cut where it is long.
  private let target: String
  /// nil where it came to no answer, or to one that is none of HTTP's.
  package let status: Int?
  /// Why it came to nothing, or its answer broke off: a word of the field (`forbidden`, `connectionLost`).
  package let failure: String?
  /// Of the bodies, as far as they went.
  package let requestBytes: Int, responseBytes: Int
  /// When it ended.
  package let time: Date
  let nanoseconds: Int64

  package var duration: Duration { .nanoseconds(nanoseconds) }

  /// `via` ends with one.
  package var id: RequestID { RequestID(via: via)! }

  /// Without its query, in which people's words and many a credential stand.
  package var path: String { String(target.prefix { $0 != "?" && $0 != "#" }) }

  /// Who asked, in a word: a friend's petname, `self`, else the beginning of a key, or an address that proves nothing.
  package var who: String? {
    switch asker {
    case nil: nil
    case .owner: "self"
    case .friend(let petname): petname.text
    case .key(let id): id.short
    case .address(let jid): jid.text
    case .unnamed: "unnamed"
    }
  }

  /// - Parameters:
  ///   - head: of the request.
  ///   - bytes: of the bodies.
  package init(
    _ side: Side, _ head: HTTPRequest, to device: JID, by caller: Caller?, status: Int?, failure: String? = nil,
    bytes: (request: Int, response: Int) = (0, 0), at time: Date, afterNanoseconds nanoseconds: Int64
  ) {
    let via = head.headerFields.value(of: .hearthVia) ?? ""
    self.via = RequestID.isAtEnd(of: via) ? via : RequestID().parameter
    (self.side, self.device) = (side, device)
    asker = caller.map(Self.asker)
    method = head.method
    target = Self.cut(head.path ?? "/")
    (self.status, self.failure, self.time, self.nanoseconds) = (status, failure, time, nanoseconds)
    (requestBytes, responseBytes) = bytes
  }

  init(
    _ side: Side, _ head: HTTPRequest, to device: JID, by caller: Caller?, _ progress: RequestProgress,
    failure error: (any Error)?, at time: Date
  ) {
    self.init(
      side, head, to: device, by: caller, status: progress.status, failure: error.map(Self.word),
      bytes: progress.bytes, at: time, afterNanoseconds: (NIODeadline.now() - progress.began).nanoseconds)
  }

  private static func asker(_ caller: Caller) -> Asker {
    switch caller.standing {
    case .self: .owner
    case .friend(let petname): .friend(petname)
    case .account(let jid, _): .address(jid)
    case .stranger, .plaintext, .changed, .mismatch, .blocked:
      caller.identity.id.map { .key($0) } ?? caller.identity.address.map { .address($0) } ?? .unnamed
    }
  }

  private static func cut(_ target: String) -> String {
    guard target.utf8.count > MeshLimits.recordedTarget else { return target }
    return String(decoding: target.utf8.prefix(MeshLimits.recordedTarget), as: UTF8.self)
  }

  /// What is wrong, without what others wrote about it.
  private static func word(_ error: any Error) -> String {
    switch error {
    case let error as StanzaError: error.condition.rawValue
    case let error as MeshError: error.code.rawValue
    case is CancellationError: "cancelled"
    default: "brokeOff"
    }
  }

  /// The fields of its line in the log.
  var fields: Logger.Metadata {
    var fields: Logger.Metadata = [
      "side": "\(side.rawValue)", "id": "\(id.text)", "device": "\(device)", "method": "\(method.rawValue)",
      "path": "\(path)", "in": "\(requestBytes)", "out": "\(responseBytes)", "ms": "\(milliseconds)",
    ]
    if let who { fields["who"] = "\(who)" }
    if let status { fields["status"] = "\(status)" }
    if let failure { fields["failure"] = "\(failure)" }
    return fields
  }

  private var milliseconds: Int64 { nanoseconds / 1_000_000 }

  /// Strangers' requests are told apart, so that many of them hide nobody's.
  var isOfStranger: Bool {
    switch asker {
    case .owner, .friend, nil: false
    case .key, .address, .unnamed: true
    }
  }
}
