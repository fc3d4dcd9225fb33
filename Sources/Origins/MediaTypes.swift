/// Media types by file name extension (RFC 6838); text says that it is UTF-8.
enum MediaTypes {
  private static let utf8 = "; charset=utf-8"

  /// `application/octet-stream` for whatever is not known.
  static func type(ofFileNamed name: some StringProtocol) -> String {
    guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return "application/octet-stream" }
    return types[name[name.index(after: dot)...].lowercased()] ?? "application/octet-stream"
  }

  /// Whether browsers show it within a page.
  static func isPicture(_ type: String) -> Bool { type.hasPrefix("image/") && !onlyDownloaded.contains(type) }

  private static let onlyDownloaded: Set = ["image/heic", "image/tiff"]

  private static let types: [String: String] = [
    "html": "text/html" + utf8, "htm": "text/html" + utf8, "xhtml": "application/xhtml+xml" + utf8,
    "css": "text/css" + utf8, "js": "text/javascript" + utf8, "mjs": "text/javascript" + utf8,
    "json": "application/json", "map": "application/json", "jsonld": "application/ld+json",
    "ndjson": "application/x-ndjson", "webmanifest": "application/manifest+json", "geojson": "application/geo+json",
    "txt": "text/plain" + utf8, "log": "text/plain" + utf8, "md": "text/markdown" + utf8, "csv": "text/csv" + utf8,
    "xml": "application/xml" + utf8, "atom": "application/atom+xml" + utf8, "rss": "application/rss+xml" + utf8,
    "ics": "text/calendar" + utf8, "vcf": "text/vcard" + utf8, "vtt": "text/vtt" + utf8, "srt": "text/plain" + utf8,
    "yaml": "application/yaml", "yml": "application/yaml", "toml": "application/toml",
    "svg": "image/svg+xml", "png": "image/png", "apng": "image/apng", "jpg": "image/jpeg", "jpeg": "image/jpeg",
    "gif": "image/gif", "webp": "image/webp", "avif": "image/avif", "heic": "image/heic", "bmp": "image/bmp",
    "ico": "image/x-icon", "tif": "image/tiff", "tiff": "image/tiff",
    "mp3": "audio/mpeg", "m4a": "audio/mp4", "aac": "audio/aac", "oga": "audio/ogg", "ogg": "audio/ogg",
    "opus": "audio/ogg", "flac": "audio/flac", "wav": "audio/wav", "weba": "audio/webm", "mid": "audio/midi",
    "mp4": "video/mp4", "m4v": "video/mp4", "webm": "video/webm", "ogv": "video/ogg", "mov": "video/quicktime",
    "mkv": "video/matroska", "avi": "video/x-msvideo", "mpeg": "video/mpeg", "mpg": "video/mpeg",
    "ts": "video/mp2t", "m3u8": "application/vnd.apple.mpegurl", "mpd": "application/dash+xml",
    "woff": "font/woff", "woff2": "font/woff2", "ttf": "font/ttf", "otf": "font/otf",
    "pdf": "application/pdf", "epub": "application/epub+zip", "rtf": "application/rtf",
    "zip": "application/zip", "gz": "application/gzip", "tgz": "application/gzip", "bz2": "application/x-bzip2",
    "xz": "application/x-xz", "zst": "application/zstd", "7z": "application/x-7z-compressed",
    "tar": "application/x-tar", "deb": "application/vnd.debian.binary-package", "wasm": "application/wasm",
    "glb": "model/gltf-binary", "gltf": "model/gltf+json", "stl": "model/stl",
  ]
}
