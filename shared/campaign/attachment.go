package campaign

import (
	"path"
	"slices"
	"strings"
)

// maxAttachments is the most bytes of all attachments together before base64, which makes them a third larger. A message
// with everything in it may have 40 MB (SES quotas), and many receivers take 25 MB at most.
const maxAttachments = 25_000_000

// blocked are the extensions that SES bounces (SES developer guide, "Unsupported attachment types").
var blocked = strings.Fields(`.ade .adp .app .asp .bas .bat .cer .chm .cmd .com .cpl .crt .csh .der .exe .fxp .gadget .hlp
	.hta .inf .ins .isp .its .js .jse .ksh .lib .lnk .mad .maf .mag .mam .maq .mar .mas .mat .mau .mav .maw .mda .mdb .mde
	.mdt .mdw .mdz .msc .msh .msh1 .msh2 .mshxml .msh1xml .msh2xml .msi .msp .mst .ops .pcd .pif .plg .prf .prg .reg .scf
	.scr .sct .shb .shs .sys .ps1 .ps1xml .ps2 .ps2xml .psc1 .psc2 .tmp .url .vb .vbe .vbs .vps .vsmacros .vss .vst .vsw
	.vxd .ws .wsc .wsf .wsh .xnk`)

// contentTypes is our own table, because mime.TypeByExtension reads the machine's and answers differently on each.
var contentTypes = map[string]string{
	".avif": "image/avif",
	".csv":  "text/csv; charset=utf-8",
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".gif":  "image/gif",
	".htm":  "text/html; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".hwp":  "application/x-hwp",
	".ics":  "text/calendar; charset=utf-8",
	".jpeg": "image/jpeg",
	".jpg":  "image/jpeg",
	".json": "application/json",
	".md":   "text/markdown; charset=utf-8",
	".mp3":  "audio/mpeg",
	".mp4":  "video/mp4",
	".odt":  "application/vnd.oasis.opendocument.text",
	".pdf":  "application/pdf",
	".png":  "image/png",
	".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	".svg":  "image/svg+xml",
	".txt":  "text/plain; charset=utf-8",
	".vcf":  "text/vcard; charset=utf-8",
	".webp": "image/webp",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".xml":  "application/xml",
	".zip":  "application/zip",
}

// contentType is of a file by its extension; anything unknown is bytes.
func contentType(name string) string {
	if t, ok := contentTypes[strings.ToLower(path.Ext(name))]; ok {
		return t
	}
	return "application/octet-stream"
}

func (f *files) attachments(c *Content) {
	line := f.decoder.lines["attachments"]
	left := int64(maxAttachments)
	for _, file := range c.Campaign.Attachments {
		name := path.Base(file)
		switch {
		case path.Ext(name) == "" || path.Ext(name) == name:
			f.decoder.problem("attachments", line, "%s: an attachment needs an extension, which tells its type", file)
			continue
		case slices.Contains(blocked, strings.ToLower(path.Ext(name))):
			f.decoder.problem("attachments", line, "%s: SES does not send files of type %s", file, path.Ext(name))
			continue
		case slices.ContainsFunc(c.Attachments, func(a Attachment) bool { return a.Name == name }):
			f.decoder.problem("attachments", line, "two attachments have the name %s", name)
			continue
		case len(name) > 255:
			f.decoder.problem("attachments", line, "%s: the name is longer than 255 bytes", file)
			continue
		}
		data, err := readFile(f.folder, file, left)
		if err == errTooLarge {
			f.decoder.problem("attachments", line, "the attachments have more than %d MB together", maxAttachments/1_000_000)
			return
		}
		if err != nil {
			f.read("attachments", file, line, 0)
			continue
		}
		left -= int64(len(data))
		c.Attachments = append(c.Attachments, Attachment{Name: name, ContentType: contentType(name), Data: data})
	}
}
