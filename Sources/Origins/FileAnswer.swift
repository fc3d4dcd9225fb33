import Codecs
import HTTPTypes
import HTTPX
import NIOCore
import NIOPosix

/// The response for a file that was found.
struct FileAnswer {
  let file: OpenFile
  let name: String
  /// All of it, where it is small and may be sent.
  let small: ByteBuffer?
  let threads: NIOThreadPool

  func response(to head: HTTPRequest) -> HTTPXResponse {
    switch file.validators.verdict(head.headerFields) {
    case .notModified: return HTTPXResponse(HTTPResponse(status: .notModified, headerFields: validatorFields))
    case .preconditionFailed: return .plain(.preconditionFailed, "The file has changed.", to: head.method)
    case .proceed: break
    }
    // Ranges have a meaning for GET only (RFC 9110 §14.2).
    let asked = head.method == .get && file.validators.allowsRange(head.headerFields) ? head.headerFields[.range] : nil
    switch ByteRange(asked, size: file.size) {
    case .whole: return content(.ok, 0..<file.size, fields, to: head.method)
    case .part(let range):
      var fields = fields
      fields[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound)/\(file.size)"
      return content(.partialContent, Range(range), fields, to: head.method)
    case .unsatisfiable:
      let fields: HTTPFields = [.contentRange: "bytes */\(file.size)", .acceptRanges: "bytes"]
      return .plain(.rangeNotSatisfiable, "The file has \(file.size) bytes.", fields, to: head.method)
    }
  }

  private var validatorFields: HTTPFields {
    [.eTag: file.validators.entityTag, .lastModified: HTTPDate.text(file.validators.modified)]
  }

  private var fields: HTTPFields {
    var fields = validatorFields
    fields[.contentType] = MediaTypes.type(ofFileNamed: name.split(separator: "/").last ?? "")
    fields[.acceptRanges] = "bytes"
    return fields
  }

  private func content(
    _ status: HTTPResponse.Status, _ range: Range<Int>, _ fields: HTTPFields, to method: HTTPRequest.Method
  ) -> HTTPXResponse {
    var head = HTTPResponse(status: status, headerFields: fields)
    head.headerFields[.contentLength] = String(range.count)
    if method == .head { return HTTPXResponse(head) }
    if let bytes = small?.getSlice(at: range.lowerBound, length: range.count) {
      return HTTPXResponse(head, body: Body(bytes))
    }
    return HTTPXResponse(head, body: Body(FileBody(file: file, range: range, threads: threads), length: range.count))
  }
}
