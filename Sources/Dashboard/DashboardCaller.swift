import Front
import HTTPEdge
import HTTPTypes
import Mesh

/// Who asks for something of the dashboard. Every user of this machine reaches it; not all of them own the node.
struct DashboardCaller: Sendable {
  /// nil where it cannot be told.
  let user: UInt32?
  let mayChange: Bool

  static let whoMay = "the user who runs Hearth on this machine, root, and members of the group hearth"

  static func of(
    _ request: Request, mayChange: @Sendable (UInt32) async -> Bool
  ) async -> DashboardCaller {
    guard isDirect(request.headers), let user = await ClientUser.of(request.channel) else {
      return DashboardCaller(user: nil, mayChange: false)
    }
    return DashboardCaller(user: user, mayChange: await mayChange(user))
  }

  /// Of a proxy it is known who runs it, not who uses it: a service whose target is this very dashboard would let peers
  /// act as its owner.
  private static func isDirect(_ fields: HTTPFields) -> Bool {
    ![.via, .hearthVia, .forwarded, .forwardedFor, .forwardedHost, .hearthPeerTrust].contains { fields.contains($0) }
  }
}
