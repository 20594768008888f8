/* WebNLG 2017 (Gardent et al. 2017): entries of RDF triples and texts, as XML. */
#ifndef SP_DATA_WEBNLG_H
#define SP_DATA_WEBNLG_H

#include "data/dataset.h"

/* Appends the entries of a benchmark file in memory: the modified triples linearised (underscores
 * become spaces, quotes stay), texts marked "good" as references; an entry without any such text is
 * left out. group stays "". SP_ERR_FORMAT with "file:line: " for broken XML or a triple that is not
 * "subject | relation | object". */
sp_status sp_parse_webnlg(const char *xml, size_t len, const char *file, sp_split *out);

#endif
