import Codecs
import HTTPTypes
import NIOCore

/// Cuts the head of a message out of what has come, and reads its lines (RFC 9112 §2 to §5).
///
/// Responses are read as browsers and nginx read those of old servers: lines may end with LF alone, space before a colon is
/// passed over (§5.1), a folded line goes on behind one space (§5.2), control characters in a value become spaces. Nothing of
/// this changes where a message ends. Requests are held to the grammar, but for LF alone (§2.2).
struct HeadReader {
  let isLenient: Bool
  let limits: HTTPHeadLimits
  /// Bytes that were looked through without finding the end.
  private var scanned = 0
  /// Where in these the line begins that has no end yet.
  private var lineStart = 0

  init(isLenient: Bool, limits: HTTPHeadLimits) {
    self.isLenient = isLenient
    self.limits = limits
  }

  /// A head, and what follows its first line.
  struct Head {
    let line: ByteBuffer
    /// Without `Host`.
    var fields: HTTPFields
    /// The values of `Host`, of which a request has one.
    let hosts: [String]
  }

  /// Takes a whole head from the beginning of `input`; nil where its end has not come.
  mutating func next(_ input: inout ByteBuffer) throws(HTTPMessageError) -> Head? {
    skipEmptyLines(&input)
    // A greeting of TLS has no end of a line: it would be waited for.
    if let first: UInt8 = input.getInteger(at: input.readerIndex), first <= 0x20 || first >= 0x7F {
      throw .malformed("it does not begin like a message of HTTP/1")
    }
    let found: Int? = try input.reading { bytes throws(HTTPMessageError) in try end(bytes) }
    guard let length = found else { return nil }
    let (line, fields, hosts) = try input.reading { bytes throws(HTTPMessageError) in
      try read(UnsafeRawBufferPointer(rebasing: bytes[..<length]))
    }
    let head = Head(
      line: input.getSlice(at: input.readerIndex, length: line) ?? ByteBuffer(), fields: fields, hosts: hosts)
    input.moveReaderIndex(forwardBy: length)
    (scanned, lineStart) = (0, 0)
    return head
  }

  /// Some send one behind the body of the message before (RFC 9112 §2.2).
  private func skipEmptyLines(_ input: inout ByteBuffer) {
    guard scanned == 0 else { return }
    while let byte: UInt8 = input.getInteger(at: input.readerIndex), byte == .lf || byte == .cr {
      input.moveReaderIndex(forwardBy: 1)
    }
  }

  /// The length of the head with the empty line at its end.
  private mutating func end(_ bytes: UnsafeRawBufferPointer) throws(HTTPMessageError) -> Int? {
    while let lineEnd = bytes.firstIndex(of: .lf, from: scanned) {
      let isEmpty = lineEnd == lineStart || (lineEnd == lineStart + 1 && bytes[lineStart] == .cr)
      let isFirst = lineStart == 0
      try check(lineEnd - lineStart, isFirst, total: lineEnd)
      lineStart = lineEnd + 1
      scanned = lineStart
      if isEmpty { return lineStart }
    }
    scanned = bytes.count
    try check(bytes.count - lineStart, lineStart == 0, total: bytes.count)
    return nil
  }

  private func check(_ line: Int, _ isFirst: Bool, total: Int) throws(HTTPMessageError) {
    guard line > limits.fieldSize || total > limits.fieldsSize else { return }
    if isFirst { throw HTTPMessageError(.targetTooLong, "the first line has more than \(limits.fieldSize) bytes") }
    throw line > limits.fieldSize
      ? HTTPMessageError(.headTooLarge, "a header field has more than \(limits.fieldSize) bytes")
      : HTTPMessageError(.headTooLarge, "the head has more than \(limits.fieldsSize) bytes")
  }

  /// The length of the first line, the fields, and the values of `Host`.
  private func read(_ head: UnsafeRawBufferPointer) throws(HTTPMessageError) -> (Int, HTTPFields, [String]) {
    var lines = Lines(rest: head)
    let line = lines.next()?.count ?? 0
    var fields = HTTPFields()
    fields.reserveCapacity(HTTPHeadLimits.usualFields)
    var hosts: [String] = []
    func take(_ field: HTTPField) {
      if field.name == .host { hosts.append(field.value) } else { fields.append(field) }
    }
    var next = lines.next()
    while let line = next, !line.isEmpty {
      next = lines.next()
      guard fields.count + hosts.count < limits.fieldCount else {
        throw HTTPMessageError(.headTooLarge, "the head has more than \(limits.fieldCount) fields")
      }
      guard let colon = line.firstIndex(of: UInt8(ascii: ":"), from: 0) else {
        throw .malformed("a line of the head has no colon")
      }
      let name = try name(UnsafeRawBufferPointer(rebasing: line[..<colon]))
      let value = UnsafeRawBufferPointer(rebasing: line[(colon + 1)...]).trimmed
      guard next?.first?.isOptionalSpace == true else {
        take(try field(name, value))
        continue
      }
      guard isLenient else { throw .malformed("a header field is folded") }
      var folded = ByteBuffer(bytes: value)
      while let line = next, line.first?.isOptionalSpace == true {
        folded.writeInteger(UInt8(ascii: " "))
        folded.writeBytes(line.trimmed)
        next = lines.next()
      }
      take(try folded.reading { bytes throws(HTTPMessageError) in try field(name, bytes.trimmed) })
    }
    return (line, fields, hosts)
  }

  private func name(_ bytes: UnsafeRawBufferPointer) throws(HTTPMessageError) -> HTTPField.Name {
    var bytes = bytes
    if bytes.last?.isOptionalSpace == true {
      guard isLenient else { throw .malformed("there is space before the colon of a header field") }
      bytes = bytes.trimmed
    }
    guard let name = KnownFieldNames.name(bytes) ?? HTTPField.Name(String(decoding: bytes, as: UTF8.self)) else {
      throw .malformed("a header field has no name that is a token")
    }
    return name
  }

  private func field(_ name: HTTPField.Name, _ value: UnsafeRawBufferPointer) throws(HTTPMessageError) -> HTTPField {
    // One pass that gives up nothing, for the compiler to make vector instructions of it.
    var (controls, all): (UInt8, UInt8) = (0, 0)
    for byte in value {
      controls |= byte < 0x20 && byte != 0x09 || byte == 0x7F ? 1 : 0
      all |= byte
    }
    if controls != 0 {
      guard !value.contains(0), !value.contains(.cr) else {
        throw .malformed("the header field \(name.rawName) holds NUL or CR")
      }
      guard isLenient else { throw .malformed("the header field \(name.rawName) holds a control character") }
    }
    // Other control characters become spaces. Bytes that are not UTF-8 stay as they are (RFC 9110 §5.5).
    return all < 0x80
      ? HTTPField(name: name, value: String(decoding: value, as: UTF8.self)) : HTTPField(name: name, value: value)
  }
}

extension ByteBuffer {
  /// Appends to what was not read yet. What was is let go first: else a message whose reads all end inside of a line would be kept
  /// whole, and copied at each read while parts of it are still in use.
  mutating func append(unread bytes: ByteBuffer) {
    guard readableBytes > 0 else { return self = bytes }
    if readerIndex > 0 { discardReadBytes() }
    writeImmutableBuffer(bytes)
  }

  /// `withUnsafeReadableBytes` with its error's type.
  func reading<Value>(
    _ body: (UnsafeRawBufferPointer) throws(HTTPMessageError) -> Value
  ) throws(HTTPMessageError) -> Value {
    try withUnsafeReadableBytes { bytes in Result { () throws(HTTPMessageError) in try body(bytes) } }.get()
  }
}

extension UInt8 {
  static let cr = UInt8(ascii: "\r")
  static let lf = UInt8(ascii: "\n")
}

/// The lines of a whole head, without their ends.
private struct Lines {
  var rest: UnsafeRawBufferPointer

  mutating func next() -> UnsafeRawBufferPointer? {
    guard let end = rest.firstIndex(of: .lf, from: 0) else { return nil }
    let hasCR = end > 0 && rest[end - 1] == .cr
    defer { rest = UnsafeRawBufferPointer(rebasing: rest[(end + 1)...]) }
    return UnsafeRawBufferPointer(rebasing: rest[..<(hasCR ? end - 1 : end)])
  }
}
