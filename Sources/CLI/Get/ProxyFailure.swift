import Codecs
import HTTPTypes
import HTTPX
import XMPP

/// Why a request never got an answer from its device, or from the app behind it, as the nodes on its way say in
/// `Proxy-Status` (RFC 9209). The last word is always that of this machine's.
enum ProxyFailure {
  /// This node has no answer of the device's; nil where the response came from there.
  static func of(_ response: HTTPResponse, device: String) -> CommandFailure? {
    guard let own = response.headerFields.proxyStatus.last, let error = own.error else { return nil }
    let status = CommandStatus(proxyStatus: error)
    // A field of HTTP has no room for our quotes.
    let details = own.details.map { HelpText.requoted(Printable.clean($0)) }
    return CommandFailure(status, details ?? "\(device): \(words(status, error: error))")
  }

  /// The device's node has answered, and says that the app behind the device has not.
  static func ofApp(_ response: HTTPResponse, device: String) -> CommandFailure? {
    guard let word = response.headerFields.proxyStatus.dropLast().last, let error = word.error,
      error != OriginFailure.requestError, let uri = try? HTTPXURI(device), isNode(word.proxy, of: uri)
    else { return nil }
    let words = error.replacing("_", with: " ")
    return CommandFailure(.noApp, "\(Printable.clean(uri.jid.text)) is there, and its app gives no answer: \(words)")
  }

  private static func isNode(_ proxy: String, of uri: HTTPXURI) -> Bool {
    (try? HTTPXURI("\(HTTPXURI.scheme)://\(proxy)"))?.jid == uri.jid
  }

  private static func words(_ status: CommandStatus, error: String) -> String {
    switch status {
    case .notDiscovered: "no such device on the link: see `hearth devices`"
    case .refused: "it is away, or refuses connections"
    case .timedOut: "no answer in time"
    case .noApp: "it does not speak HTTP"
    case .denied: "it does not let this node in"
    case .wrongKey: "it shows another key than it has to: see `hearth devices`"
    case .insecure: "it has to be reached over TLS, and is not: somebody may be in between"
    case .connectionLost: "the connection broke"
    default: "no answer (\(Printable.clean(error)))"
    }
  }
}
