import Codecs
import HTTPTypes
import HTTPX

/// The response for a folder that is listed: a page for people, JSON for programs that prefer it.
struct ListingAnswer {
  let listing: FolderListing
  /// What the device is called.
  let title: String
  /// Below the device's folder; empty, or with a slash at its end.
  let path: [UInt8]

  /// The page has no script, shows pictures of this device only, and is nobody's frame.
  private static let policy =
    "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    + "frame-ancestors 'none'"

  func response(to head: HTTPRequest) -> HTTPXResponse {
    let order = ListingOrder(query: head.path.flatMap(RequestTarget.init)?.query ?? "")
    let entries = order.sorted(listing.entries)
    var fields: HTTPFields = [.vary: "Accept", .cacheControl: "no-cache", .xContentTypeOptions: "nosniff"]
    let text: String
    if Representation.preferred(head.headerFields[values: .accept]) == .json {
      fields[.contentType] = "application/json"
      text = ListingDocument(entries, isCut: listing.isCut).text
    } else {
      fields[.contentType] = "text/html; charset=utf-8"
      fields[.contentSecurityPolicy] = Self.policy
      text = ListingPage(title: title, path: path, entries: entries, isCut: listing.isCut, order: order).html
    }
    let body = Body(text)
    fields[.contentLength] = body.length.map(String.init)
    return HTTPXResponse(
      HTTPResponse(status: .ok, headerFields: fields), body: head.method == .head ? .empty : body)
  }
}
