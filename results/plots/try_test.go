package plots
import ("testing";"encoding/json";"os";"overnight/results/figure")
func TestTry(t *testing.T){
 for _, f := range []string{"../figure/testdata/sample.json","/tmp/h6real.json"} {
 b,_:=os.ReadFile(f)
 var figs []figure.Figure
 if err:=json.Unmarshal(b,&figs);err!=nil{t.Fatal(err)}
 dir := "/tmp/h6plots/sample"
 if f[0]=='/' {dir="/tmp/h6plots/real"; }
 p,err:=Write(dir,figs); t.Log(len(p),err)
 }
}
