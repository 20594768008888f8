typedef int sp_empty;
